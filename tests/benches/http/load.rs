//! A closed loop over HTTP: as many threads as connections, each sending its next request when the last is answered.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tenantry_tests::Tenantry;

/// What a load came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Figures {
    /// Answers per second.
    pub(crate) rate: f64,
    /// Half the answers took no longer.
    pub(crate) median: Duration,
    /// 99 in 100 answers took no longer.
    pub(crate) p99: Duration,
}

/// Sends what `request` makes of a running number over `connections` connections for `duration`, after a tenth of it
/// to warm up. Every answer has to have the status `expect`.
pub(crate) fn run(
    address: SocketAddr,
    connections: usize,
    duration: Duration,
    expect: u16,
    request: &(dyn Fn(u64) -> Vec<u8> + Sync),
) -> io::Result<Figures> {
    let counter = AtomicU64::new(0);
    let begin = Instant::now();
    let warm = begin + duration / 10;
    let end = warm + duration;
    let worker = || -> io::Result<Vec<Duration>> {
        let mut connection = Connection::open(address)?;
        let mut latencies = Vec::with_capacity(1 << 16);
        loop {
            let bytes = request(counter.fetch_add(1, Ordering::Relaxed));
            let sent = Instant::now();
            if sent >= end {
                return Ok(latencies);
            }
            let status = connection.exchange(&bytes)?;
            if status != expect {
                return Err(io::Error::other(format!("answered {status}, expected {expect}")));
            }
            // By when it was answered: of large requests, many would be on their way when the time is up.
            let answered = Instant::now();
            if (warm..end).contains(&answered) {
                latencies.push(answered - sent);
            }
        }
    };
    let mut latencies = Vec::new();
    thread::scope(|scope| -> io::Result<()> {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(worker)).collect();
        for thread in threads {
            latencies.extend(thread.join().map_err(|_| io::Error::other("a load thread panicked"))??);
        }
        Ok(())
    })?;
    if latencies.is_empty() {
        return Err(io::Error::other(format!("nothing was answered within {duration:?}")));
    }
    Ok(Figures::of(latencies, duration))
}

/// Sends what `request` makes of a running number over `connections` connections for `duration`, `rate` times a second together
/// as long as the answers come that quickly. Every answer has to have one of these statuses; the figures are of those with the
/// first of them.
pub(crate) fn paced(
    address: SocketAddr,
    connections: u32,
    rate: u32,
    duration: Duration,
    expect: &[u16],
    request: &(dyn Fn(u64) -> Vec<u8> + Sync),
) -> io::Result<Figures> {
    let counter = AtomicU64::new(0);
    let begin = Instant::now();
    let every = Duration::from_secs(1) * connections / rate;
    let worker = |first: Duration| -> io::Result<Vec<Duration>> {
        let mut connection = Connection::open(address)?;
        let mut latencies = Vec::new();
        let mut due = begin + first;
        while due < begin + duration {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let bytes = request(counter.fetch_add(1, Ordering::Relaxed));
            let sent = Instant::now();
            let status = connection.exchange(&bytes)?;
            if !expect.contains(&status) {
                return Err(io::Error::other(format!("answered {status}, expected {expect:?}")));
            }
            if expect.first() == Some(&status) {
                latencies.push(sent.elapsed());
            }
            due += every;
        }
        Ok(latencies)
    };
    let mut latencies = Vec::new();
    thread::scope(|scope| -> io::Result<()> {
        let worker = &worker;
        let threads: Vec<_> = (0..connections)
            .map(|number| scope.spawn(move || worker(every * number / connections)))
            .collect();
        for thread in threads {
            latencies.extend(thread.join().map_err(|_| io::Error::other("a load thread panicked"))??);
        }
        Ok(())
    })?;
    if latencies.is_empty() {
        return Err(io::Error::other(format!("nothing was answered with {expect:?}")));
    }
    Ok(Figures::of(latencies, duration))
}

/// Provisions `count` tenants through the front door, `parallel` at a time; the figures are from sending a
/// confirmation to the answer that its tenant is `Active`.
pub(crate) fn provision_tenants(
    tenantry: &Tenantry,
    slug: &str,
    parallel: usize,
    count: usize,
) -> io::Result<Figures> {
    let begun: Vec<(String, String)> =
        (0..count).map(|n| announce(tenantry, &format!("{slug}-{n}"))).collect();
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let mut latencies = Vec::new();
    thread::scope(|scope| -> io::Result<()> {
        let worker = || {
            let mut client = tenantry.client();
            let mut latencies = Vec::new();
            while let Some((id, token)) = begun.get(next.fetch_add(1, Ordering::Relaxed)) {
                let sent = Instant::now();
                client.request("POST", "/provision/tenants/confirm").bearer(token).send().expect(200);
                let path = format!("/provision/tenants/{id}/status?wait=30");
                loop {
                    let status = client.get(&path).expect(200).json();
                    match status["status"].as_str() {
                        Some("Active") => break,
                        Some("Failed") => return Err(io::Error::other(format!("failed: {status}"))),
                        // Each answer tells of something new.
                        _ => {}
                    }
                }
                latencies.push(sent.elapsed());
            }
            Ok(latencies)
        };
        let threads: Vec<_> = (0..parallel).map(|_| scope.spawn(worker)).collect();
        for thread in threads {
            latencies.extend(thread.join().map_err(|_| io::Error::other("a load thread panicked"))??);
        }
        Ok(())
    })?;
    Ok(Figures::of(latencies, start.elapsed()))
}

fn announce(tenantry: &Tenantry, slug: &str) -> (String, String) {
    let body = json!({ "name": "Bench Ltd.", "slug": slug, "plan": "Basic" });
    let answer = tenantry.client().post("/provision/tenants/init", &body).expect(200).json();
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    (text("provisioningId"), text("confirmToken"))
}

impl Figures {
    /// Of all answers within this time, of which there is at least one.
    pub(crate) fn of(mut latencies: Vec<Duration>, elapsed: Duration) -> Self {
        latencies.sort_unstable();
        let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
        Self { rate: latencies.len() as f64 / elapsed.as_secs_f64(), median: at(0.5), p99: at(0.99) }
    }
}

struct Connection {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    line: String,
}

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let reader = BufReader::with_capacity(64 * 1024, stream.try_clone()?);
        Ok(Self { stream, reader, line: String::new() })
    }

    /// Sends a request and reads its answer to the end; every answer of ours has a content length.
    fn exchange(&mut self, request: &[u8]) -> io::Result<u16> {
        self.stream.write_all(request)?;
        let (mut status, mut length) = (0, 0);
        for number in 0.. {
            self.line.clear();
            if self.reader.read_line(&mut self.line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = self.line.trim_end();
            if number == 0 {
                status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
            } else if line.is_empty() {
                break;
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        io::copy(&mut (&mut self.reader).take(length), &mut io::sink())?;
        Ok(status)
    }
}
