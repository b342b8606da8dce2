//! The directory of SQLite databases: names, locks and what is left of files.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tenantry_ports::{DatabaseError, DatabaseFault};

use super::faults::{Broken, unopened};
use crate::error::{is_passing, is_passing_text};
use crate::owner;
use crate::url::sqlite_uri;

/// Where tenants' databases are files, `<name>.db` each.
pub(super) struct Directory(PathBuf);

impl Directory {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The file of a database of this name.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.db"))
    }

    /// The names of the databases there are, sorted.
    pub(super) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let file = entry?.file_name();
            names.extend(file.to_str().and_then(|file| file.strip_suffix(".db")).map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The right to make and unmake what has this name, or is going to; waits for it no longer than this.
    pub(super) fn lock(&self, name: &str, patience: Duration) -> Result<Lock, Broken> {
        let path = self.0.join(format!("~lock_{name}"));
        let begun = Instant::now();
        loop {
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path)? => return Ok(Lock { path, _file: file }),
                // Whoever had it removed it after it was opened here.
                Ok(()) => {}
                Err(TryLockError::Error(error)) => return Err(error.into()),
                Err(TryLockError::WouldBlock) if begun.elapsed() < patience => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(TryLockError::WouldBlock) => {
                    let detail = "another process is making or removing the database";
                    return Err(DatabaseError::new(DatabaseFault::Passing, detail).into());
                }
            }
        }
    }

    /// Has the names of the files survive a crash of the machine.
    pub(super) fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }
}

/// A right that ends with its owner, also if that is killed.
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Drop for Lock {
    /// Removed while it is still locked, the file is nobody else's yet. If it stays, the next one to lock it removes it.
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether the open file is the one that has this name.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The tag of a file that is there, if it is a database that has one. Changes nothing, so that what is not ours stays as it
/// is.
///
/// What a file is tagged with is in the file itself before that has a tenant's name, and never changes. Read like this it
/// needs no log, no lock and no neighbours to be made; only in a file that has no name yet the tag may still be in a log.
pub(super) fn tag(file: &Path, patience: Duration) -> Result<Option<String>, Broken> {
    match read_tag(&sqlite_uri(file, "ro&immutable=1"), patience) {
        Ok(Some(tag)) => Ok(Some(tag)),
        _ => read_tag(&sqlite_uri(file, "ro"), patience),
    }
}

fn read_tag(uri: &str, patience: Duration) -> Result<Option<String>, Broken> {
    let mut sqlite = match SqliteConnection::establish(uri) {
        Ok(sqlite) => sqlite,
        Err(error) if is_passing_text(&error.to_string()) => return Err(unopened(error)),
        Err(_) => return Ok(None),
    };
    let patience = format!("PRAGMA busy_timeout = {}", patience.as_millis());
    match sqlite.batch_execute(&patience).and_then(|()| owner::of_file(&mut sqlite)) {
        Ok(tag) => Ok(Some(tag)),
        Err(error) if is_passing(&error) => Err(error.into()),
        Err(_) => Ok(None),
    }
}

/// Removes a database. Its log goes first: a log without its database would be taken for that of the next one.
pub(super) fn remove(file: &Path) -> io::Result<()> {
    remove_companions(file)?;
    remove_if_there(file)
}

/// Removes the logs that belong to a database, or did.
pub(super) fn remove_companions(file: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut companion = file.as_os_str().to_owned();
        companion.push(suffix);
        remove_if_there(Path::new(&companion))?;
    }
    Ok(())
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
