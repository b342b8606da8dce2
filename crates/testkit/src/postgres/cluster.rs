//! Starting a server of one's own.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cleaner::Cleaner;
use super::programs::Programs;

/// Everything in it belongs to the tests, so its superuser is theirs.
pub(super) const USER: &str = "tenantry";

/// A running server.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) port: u16,
    pub(super) password: String,
    /// `data` in it is the data directory.
    pub(super) directory: PathBuf,
    pub(super) cleaner: Cleaner,
}

/// What every server needs. As long as any client is silent in the midst of signing in, no database can be dropped.
const SETTINGS: &str = "-c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=400 \
    -c logging_collector=off -c log_min_messages=error -c authentication_timeout=15s";

/// What a server needs besides that nobody will miss after a crash.
const CARELESS: &str = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB \
    -c wal_level=minimal -c max_wal_senders=0 -c min_wal_size=32MB -c max_wal_size=1GB -c checkpoint_timeout=1h \
    -c jit=off";

/// Whether a server's data has to survive a crash of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// No, as in tests.
    Careless,
    /// Yes, as in production: with the server's own defaults.
    Durable,
}

/// A port that was free a moment ago may be taken by now.
const PORTS_TO_TRY: usize = 5;

/// Stops whatever was started, and removes the directory; more than once, since the process may have been killed while
/// one of its children was still writing there.
const CLEAN_UP: &str = r#"
directory=$1 control=$2; shift 2
for attempt in 1 2 3 4 5 6 7 8 9 10; do
    [ -e "$directory" ] || exit 0
    "$@" "$control" -D "$directory/data" -m immediate -w -t 10 stop
    rm -rf "$directory"
    sleep 0.1
done
"#;

impl Cluster {
    /// Makes a cluster in a temporary directory and starts its server.
    pub(super) fn start(programs: &Programs, care: Care) -> Result<Self, String> {
        let run_as = RunAs::someone_allowed()?;
        let directory = tempfile::Builder::new()
            .prefix("tenantry-test-postgres-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .map_err(|error| format!("no temporary directory: {error}"))?;
        run_as
            .give(directory.path())
            .map_err(|error| format!("a temporary directory is given away: {error}"))?;

        // From here on the cleaner removes it, and it is there before anything is that needs cleaning.
        let control: OsString = programs.path("pg_ctl").into();
        let arguments = [directory.path().into(), control].into_iter().chain(run_as.prefix.iter().cloned());
        let cleaner = Cleaner::spawn(CLEAN_UP, arguments).map_err(|error| format!("no cleaner: {error}"))?;
        let directory = directory.keep();

        let password = random_text().map_err(|error| format!("no randomness: {error}"))?;
        initialise(programs, &run_as, &directory, &password)?;
        let port = start_server(programs, &run_as, &directory, care)?;
        Ok(Self { port, password, directory, cleaner })
    }
}

fn initialise(programs: &Programs, run_as: &RunAs, directory: &Path, password: &str) -> Result<(), String> {
    let password_file = directory.join("password");
    fs::write(&password_file, password)
        .and_then(|()| run_as.give(&password_file))
        .map_err(|error| format!("writing the password: {error}"))?;
    let initdb = |locale: &[&str]| {
        let mut command = run_as.command(programs.path("initdb"));
        command.arg("-D").arg(directory.join("data")).arg("--pwfile").arg(&password_file);
        command.args(["-U", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--no-sync"]).args(locale);
        run(&mut command)
    };
    // Older versions, and those built without ICU, know the order of the machine's own locale at best.
    initdb(&["--locale=C", "--locale-provider=icu", "--icu-locale=en"]).or_else(|_| initdb(&["--locale=C"]))
}

fn start_server(programs: &Programs, run_as: &RunAs, directory: &Path, care: Care) -> Result<u16, String> {
    let more = if care == Care::Careless { CARELESS } else { "" };
    let mut reason = String::new();
    for _ in 0..PORTS_TO_TRY {
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let log = directory.join("data").join("server.log");
        let mut command = run_as.command(programs.path("pg_ctl"));
        command.arg("-D").arg(directory.join("data")).arg("-l").arg(&log);
        command.args(["-w", "-t", "60", "-o", &format!("-p {port} {SETTINGS} {more}"), "start"]);
        match run(&mut command) {
            Ok(()) => return Ok(port),
            Err(error) => reason = format!("{error}\n{}", fs::read_to_string(&log).unwrap_or_default()),
        }
    }
    Err(reason)
}

pub(super) fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).current_dir("/").output();
    let output = output.map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{} failed:\n{}{}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    ))
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// 32 hexadecimal digits that nobody can guess.
pub(super) fn random_text() -> io::Result<String> {
    let mut bytes = [0; 16];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// As whom the server runs: it refuses to run as root.
#[derive(Debug, Default)]
pub(super) struct RunAs {
    ids: Option<(u32, u32)>,
    /// What to put before a command.
    prefix: Vec<OsString>,
}

impl RunAs {
    /// The user of this process, or somebody who can do less if that is root.
    pub(super) fn someone_allowed() -> Result<Self, String> {
        let me = fs::metadata("/proc/self").map_or_else(|_| effective_user(), |process| Some(process.uid()));
        if me != Some(0) {
            return Ok(Self::default());
        }
        let user = ["postgres", "nobody"].into_iter().find_map(|user| {
            let id = |which: &str| -> Option<u32> { output("id", &[which, user])?.parse().ok() };
            Some((user, id("-u")?, id("-g")?))
        });
        let (user, uid, gid) =
            user.ok_or("root cannot run PostgreSQL, and there is neither postgres nor nobody")?;
        let setpriv = [
            "setpriv".to_owned(),
            format!("--reuid={uid}"),
            format!("--regid={gid}"),
            "--clear-groups".to_owned(),
        ];
        let runuser = ["runuser", "-u", user, "--"].map(str::to_owned);
        let prefix = [setpriv.to_vec(), runuser.to_vec()]
            .into_iter()
            .find(|prefix| {
                let arguments: Vec<_> = prefix[1..].iter().map(String::as_str).chain(["true"]).collect();
                output(&prefix[0], &arguments).is_some()
            })
            .ok_or("root cannot run PostgreSQL, and neither setpriv nor runuser makes somebody else of it")?;
        Ok(Self { ids: Some((uid, gid)), prefix: prefix.into_iter().map(OsString::from).collect() })
    }

    /// Makes the file or directory theirs.
    fn give(&self, path: &Path) -> io::Result<()> {
        match self.ids {
            Some((uid, gid)) => chown(path, Some(uid), Some(gid)),
            None => Ok(()),
        }
    }

    pub(super) fn command(&self, program: PathBuf) -> Command {
        let mut words = self.prefix.iter().cloned().chain([program.into()]);
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }
}

fn effective_user() -> Option<u32> {
    output("id", &["-u"])?.parse().ok()
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
