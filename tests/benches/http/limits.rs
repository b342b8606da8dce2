//! The limits that our figures are compared with, measured in the same run on the same machine.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// An actix server that answers every request with an empty body: as fast as HTTP gets here.
pub struct EmptyHandler {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

/// The argument with which this program is its own empty handler.
pub const EMPTY_HANDLER: &str = "--empty-handler";

impl EmptyHandler {
    /// Starts this program again as an empty handler.
    pub fn start() -> io::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let child = Command::new(std::env::current_exe()?).arg(EMPTY_HANDLER).arg(address.to_string()).spawn()?;
        let handler = Self { child, address };
        for _ in 0..500 {
            if TcpStream::connect(address).is_ok() {
                return Ok(handler);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(io::Error::other("the empty handler did not start"))
    }

    /// What the program does when it is the empty handler.
    pub fn serve(address: &str) -> io::Result<()> {
        use actix_web::{App, HttpResponse, HttpServer, rt, web};
        rt::System::new().block_on(
            HttpServer::new(|| App::new().default_service(web::to(HttpResponse::Ok))).bind(address)?.run(),
        )
    }
}

impl Drop for EmptyHandler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Transactions per second of `pgbench` running `script` on `url`, each script one transaction.
pub fn pgbench(bin: &Path, url: &str, script: &str, clients: usize, duration: Duration) -> io::Result<f64> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), script)?;
    let output = Command::new(bin.join("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .arg(format!("--client={clients}"))
        .arg(format!("--time={}", duration.as_secs().max(1)))
        .arg(format!("--file={}", file.path().display()))
        .arg(url)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.ok_or_else(|| io::Error::other(format!("pgbench: {text}{}", String::from_utf8_lossy(&output.stderr))))
}

/// How long each of `count` raw `CREATE DATABASE … TEMPLATE template1` statements takes, one after the other in one
/// session of `psql`, as the server answers it.
pub fn create_databases(bin: &Path, url: &str, count: usize) -> io::Result<Vec<Duration>> {
    let mut script = String::from("\\timing on\n");
    for number in 0..count {
        script += &format!("CREATE DATABASE raw_{number} TEMPLATE template1 STRATEGY WAL_LOG;\n");
    }
    script += "\\timing off\n";
    for number in 0..count {
        script += &format!("DROP DATABASE raw_{number};\n");
    }
    let mut psql = Command::new(bin.join("psql"))
        .args(["--no-psqlrc", "--set=ON_ERROR_STOP=1", url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    psql.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?.write_all(script.as_bytes())?;
    let mut text = String::new();
    psql.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?.read_to_string(&mut text)?;
    let times: Vec<Duration> = text
        .lines()
        .filter_map(|line| line.strip_prefix("Time: ")?.split(' ').next()?.parse::<f64>().ok())
        .map(|milliseconds| Duration::from_secs_f64(milliseconds / 1000.0))
        .collect();
    if !psql.wait()?.success() || times.len() != count {
        return Err(io::Error::other("psql could not create the databases"));
    }
    Ok(times)
}
