//! Having a server die and come back.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Server;
use super::cluster::{RunAs, run};

/// How long a server may take until it has noticed that it is dead, and has recovered.
const PATIENCE: Duration = Duration::from_secs(60);

impl Server {
    /// Kills a server that was started here, as a failure of its machine would (`SIGKILL`).
    ///
    /// # Panics
    /// If it is none of this process's, or does not run.
    pub fn kill_hard(&self) {
        let directory = self.directory.as_ref().expect("the server was started here");
        let pid = fs::read_to_string(directory.join("data/postmaster.pid")).expect("the server runs");
        let pid = pid.lines().next().expect("its first line is its id").to_owned();
        let killed = Command::new("/bin/sh").args(["-c", "kill -9 \"$1\"", "kill", &pid]).status();
        assert!(killed.is_ok_and(|status| status.success()), "the server is killed");
    }

    /// Starts it again on the same port, with the same data, and waits until it has recovered.
    ///
    /// # Panics
    /// If it does not.
    pub fn start_again(&self) {
        let directory = self.directory.as_ref().expect("the server was started here");
        let run_as = RunAs::someone_allowed().expect("somebody may run the server");
        let begun = Instant::now();
        loop {
            let mut control = run_as.command(self.program("pg_ctl"));
            control.arg("-D").arg(directory.join("data")).arg("-l").arg(directory.join("data/server.log"));
            control.args(["-w", "-t", "60", "restart"]).stdin(Stdio::null());
            match run(&mut control) {
                Ok(()) => return,
                // Some of the dead server's processes may not have noticed yet.
                Err(error) => assert!(begun.elapsed() < PATIENCE, "the server does not come back: {error}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::postgres;

    #[test]
    fn what_was_committed_is_there_when_the_server_is_back() {
        let Some(server) = postgres::durable() else { return };
        server.query("postgres", "CREATE TABLE kept (n int); INSERT INTO kept VALUES (1)").unwrap();
        server.kill_hard();
        server.start_again();
        assert_eq!(server.query("postgres", "SELECT n FROM kept").unwrap(), "1");
    }
}
