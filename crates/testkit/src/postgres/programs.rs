//! Where PostgreSQL's own programs are.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::variable;

/// Programs of one version of PostgreSQL.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    directory: PathBuf,
}

impl Programs {
    /// The path of one of them.
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.directory.join(program)
    }

    /// The programs in this directory, if what it takes to run a server is there together.
    ///
    /// `PATH` alone is not to be trusted: distributions and administrators put wrappers and links of single programs
    /// into it, which do not find their neighbours. So links are followed to where they lead.
    fn in_directory(directory: &Path) -> Option<Self> {
        let initdb = fs::canonicalize(directory.join("initdb")).ok()?;
        let directory = initdb.parent()?.to_owned();
        let complete =
            ["initdb", "pg_ctl", "postgres"].iter().all(|program| directory.join(program).is_file());
        complete.then_some(Self { directory })
    }
}

/// The newest version below `/usr/lib/postgresql`, else what `pg_config` names, else what is in `PATH`.
pub(super) fn find() -> Option<Programs> {
    let candidates =
        versions(Path::new("/usr/lib/postgresql")).into_iter().chain(configured()).chain(in_path());
    candidates.into_iter().find_map(|directory| Programs::in_directory(&directory))
}

/// A `psql` from `PATH`, where there are no programs of a server.
pub(super) fn psql() -> PathBuf {
    find()
        .map(|programs| programs.path("psql"))
        .filter(|psql| psql.is_file())
        .unwrap_or_else(|| "psql".into())
}

fn versions(root: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.split('.').next()?.parse().ok()?;
            Some((number, entry.path().join("bin")))
        })
        .collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.into_iter().map(|(_, directory)| directory).collect()
}

fn configured() -> Option<PathBuf> {
    let output =
        Command::new("pg_config").arg("--bindir").output().ok().filter(|output| output.status.success())?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end()))
}

fn in_path() -> Vec<PathBuf> {
    let path = variable("PATH").map(OsString::from).unwrap_or_default();
    std::env::split_paths(&path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(root: &Path, version: &str, programs: &[&str]) -> PathBuf {
        let bin = root.join(version).join("bin");
        fs::create_dir_all(&bin).unwrap();
        for program in programs {
            fs::write(bin.join(program), "").unwrap();
        }
        bin
    }

    #[test]
    fn the_newest_version_comes_first() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9.6", "15", "not-a-version", "9"] {
            installed(root.path(), version, &[]);
        }
        let found = versions(root.path());
        assert_eq!(found[0], root.path().join("15/bin"));
        assert_eq!(found.len(), 3);
        assert!(versions(&root.path().join("nowhere")).is_empty());
    }

    #[test]
    fn a_directory_counts_only_where_everything_is_together() {
        let root = tempfile::tempdir().unwrap();
        let partial = installed(root.path(), "14", &["initdb", "psql"]);
        assert!(Programs::in_directory(&partial).is_none());
        let complete = installed(root.path(), "15", &["initdb", "pg_ctl", "postgres"]);
        assert!(Programs::in_directory(&complete).is_some());
    }

    #[test]
    fn a_link_leads_to_where_its_neighbours_are() {
        let root = tempfile::tempdir().unwrap();
        let complete = installed(root.path(), "15", &["initdb", "pg_ctl", "postgres"]);
        let links = root.path().join("links");
        fs::create_dir(&links).unwrap();
        std::os::unix::fs::symlink(complete.join("initdb"), links.join("initdb")).unwrap();
        let programs = Programs::in_directory(&links).unwrap();
        assert_eq!(programs.path("pg_ctl"), fs::canonicalize(complete).unwrap().join("pg_ctl"));
    }
}
