//! Cleaning up after a process that may be killed.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// A child that waits for the end of this process, however it comes, and then runs a shell script.
///
/// It notices by the end of its standard input, which the kernel closes with the process. It has a process group of its
/// own, so that what ends this process (an interrupt from the keyboard, a time limit) does not end the cleaner as well.
#[derive(Debug)]
pub(super) struct Cleaner {
    child: Child,
    input: Mutex<Option<ChildStdin>>,
}

/// Collects the lines that were noted, until the end; the script finds them in `$noted`.
const WAIT: &str = r#"trap '' INT TERM HUP
noted=
while read -r line; do noted="$noted $line"; done
"#;

impl Cleaner {
    /// Starts waiting; `arguments` are `$1`, `$2` … of the script.
    pub(super) fn spawn(
        script: &str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> io::Result<Self> {
        let mut child = Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("{WAIT}{script}"))
            .arg("tenantry-test-cleaner")
            .args(arguments)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let input = Mutex::new(child.stdin.take());
        Ok(Self { child, input })
    }

    /// Adds a word to `$noted`.
    pub(super) fn note(&self, word: &str) -> io::Result<()> {
        match &mut *self.input.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(input) => writeln!(input, "{word}"),
            None => Ok(()),
        }
    }
}

impl Drop for Cleaner {
    /// Cleans up now.
    fn drop(&mut self) {
        *self.input.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_runs_its_script_at_the_end_with_what_was_noted() {
        let directory = tempfile::tempdir().unwrap();
        let report = directory.path().join("report");
        let cleaner = Cleaner::spawn(r#"echo "$noted" > "$1""#, [&report]).unwrap();
        cleaner.note("one").unwrap();
        cleaner.note("two").unwrap();
        assert!(!report.exists());
        drop(cleaner);
        assert_eq!(fs::read_to_string(&report).unwrap().trim(), "one two");
    }
}
