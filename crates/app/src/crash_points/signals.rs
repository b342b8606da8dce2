use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Sends this process signals, by way of a shell that waits to be told which: a process can send itself none without
/// unsafe code, and to start a shell takes longer than most effects.
pub(super) struct Signals(Mutex<(ChildStdin, BufReader<ChildStdout>)>);

/// Answers a signal when it has arrived. One that stops the process has not at once, and meanwhile its threads go on; Linux
/// tells when.
const SENDER: &str = r#"
while read -r signal; do
    kill -s "$signal" $PPID
    while [ "$signal" = STOP ] && grep -qs '^State:.[RSD]' /proc/$PPID/status; do :; done
    echo
done"#;

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SENDER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pipes = shell.stdin.take().zip(shell.stdout.take()).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self(Mutex::new((pipes.0, BufReader::new(pipes.1)))))
    }

    /// Ends this process as `kill -9` does.
    pub(super) fn kill(&self) -> ! {
        match self.send("KILL") {
            Ok(()) => loop {
                thread::park();
            },
            Err(error) => panic!("this process cannot be killed: {error}"),
        }
    }

    /// Stops every thread of this process until it is told to continue.
    pub(super) fn pause(&self) {
        if let Err(error) = self.send("STOP") {
            panic!("this process cannot be stopped: {error}");
        }
    }

    /// Returns once the signal has been sent, and the process goes on all the same.
    fn send(&self, signal: &str) -> io::Result<()> {
        let mut pipes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(pipes.0, "{signal}")?;
        pipes.1.read_line(&mut String::new()).map(drop)
    }
}
