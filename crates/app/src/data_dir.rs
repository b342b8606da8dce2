//! The data directory and the master key in it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tenantry_security::{MasterKey, SystemEntropy};

use crate::failure::Failure;

const SECRET_KEY: &str = "secret.key";

/// Makes the directory (readable by its owner alone) unless it is there, and makes sure that files can be made in it.
pub(crate) fn prepare(directory: &Path) -> Result<(), Failure> {
    let probe = directory.join(format!(".probe-{}", std::process::id()));
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .and_then(|()| File::create(&probe))
        .and_then(|_| fs::remove_file(&probe))
        .map_err(|error| unusable(directory, &error))
}

fn unusable(directory: &Path, error: &std::io::Error) -> Failure {
    let what = format!("the data directory {} cannot be written to: {error}", directory.display());
    Failure::new(
        what,
        "give this user the right to it, or choose another with --data-dir or TENANTRY_DATA_DIR",
    )
}

/// The file of the master key in this directory.
pub(crate) fn secret_key(directory: &Path) -> PathBuf {
    directory.join(SECRET_KEY)
}

/// The installation's master key.
#[derive(Debug)]
pub(crate) struct StoredKey {
    pub(crate) key: MasterKey,
    /// The file it is in.
    pub(crate) path: PathBuf,
    /// Whether it was made just now.
    pub(crate) is_new: bool,
}

/// Reads the master key in this directory, or makes one. Of several processes that start at once, one makes it.
pub(crate) fn master_key(directory: &Path) -> Result<StoredKey, Failure> {
    let path = secret_key(directory);
    let is_new = match fs::exists(&path) {
        Ok(true) => false,
        Ok(false) => create(directory, &path).map_err(|error| unusable(directory, &error))?,
        Err(error) => return Err(unreadable(&path, error)),
    };
    let text = fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
    let key = MasterKey::from_base64(&text).map_err(|error| unreadable(&path, error))?;
    if fs::metadata(&path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0) {
        tracing::warn!("{} may be read by other users; run: chmod 600 {0}", path.display());
    }
    Ok(StoredKey { key, path, is_new })
}

fn unreadable(path: &Path, error: impl std::fmt::Display) -> Failure {
    let what = format!("the secret key in {} cannot be used: {error}", path.display());
    Failure::new(what, "put the right file back from your backup, or set TENANTRY_SECRET_KEY")
}

/// Writes a new key under another name first, so that nobody ever sees half a key; false if another process was faster.
fn create(directory: &Path, path: &Path) -> std::io::Result<bool> {
    let draft = directory.join(format!(".{SECRET_KEY}-{}", std::process::id()));
    let text = MasterKey::generate(&SystemEntropy).to_base64();
    // A crash may have left one.
    let _ = fs::remove_file(&draft);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{}", text.expose())?;
    file.sync_all()?;
    // Unlike a rename, a link never replaces.
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => File::open(directory)?.sync_all().map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn directory_and_key_are_for_their_owner_alone_and_the_key_stays() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("a/b");
        prepare(&directory).unwrap();
        assert_eq!(mode(&directory), 0o700);
        let first = master_key(&directory).unwrap();
        assert!(first.is_new);
        assert_eq!(mode(&first.path), 0o600);
        prepare(&directory).unwrap();
        let second = master_key(&directory).unwrap();
        assert!(!second.is_new);
        assert_eq!(first.key.to_base64(), second.key.to_base64());
        let left: Vec<_> =
            fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [SECRET_KEY]);
    }

    #[test]
    fn a_key_that_another_process_made_meanwhile_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(SECRET_KEY);
        let other = MasterKey::generate(&SystemEntropy).to_base64();
        fs::write(&path, other.expose()).unwrap();
        assert!(!create(directory.path(), &path).unwrap());
        assert_eq!(master_key(directory.path()).unwrap().key.to_base64(), other);
    }

    #[test]
    fn a_broken_key_is_named_and_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(SECRET_KEY);
        fs::write(&path, "half a k").unwrap();
        let failure = master_key(directory.path()).unwrap_err().to_string();
        assert!(failure.contains("secret.key cannot be used") && !failure.contains("half a k"), "{failure}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "half a k");
    }

    #[test]
    fn a_path_through_a_file_is_no_directory() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let failure = prepare(&file.path().join("data")).unwrap_err().to_string();
        assert!(failure.contains("cannot be written to") && failure.contains("--data-dir"), "{failure}");
    }
}
