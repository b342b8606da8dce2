use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// What makes a [`Receiver`] say nothing.
const SILENCE: u16 = 0;

/// Somebody who is called: an HTTP server that keeps what it hears, and connections open. It lives as long as the process.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    calls: Mutex<Vec<Call>>,
    status: AtomicU16,
    /// Every so many calls one is refused; none if it is 0.
    refused: AtomicUsize,
}

/// A call as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When it had come.
    pub at: Instant,
    /// What it is answered with; 0 if it is not.
    pub status: u16,
    /// The request line.
    pub line: String,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Call {
    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Receiver {
    /// A receiver that is content with everything.
    ///
    /// # Panics
    /// If there is no port left.
    pub fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port is free"))
    }

    /// A receiver at an address that was known before.
    ///
    /// # Panics
    /// If the listener has no address.
    pub fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            status: AtomicU16::new(204),
            refused: AtomicUsize::new(0),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let server = Arc::clone(&server);
                // That the caller went away is its business.
                thread::spawn(move || server.serve(stream));
            }
        });
        Self { address, shared }
    }

    /// Where it is to be called.
    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// Answers with this status from now on.
    pub fn answer(&self, status: u16) {
        self.shared.status.store(status, Ordering::SeqCst);
    }

    /// Answers every so many calls with 503 from now on; none, if that is 0.
    pub fn refuse_every(&self, calls: usize) {
        self.shared.refused.store(calls, Ordering::SeqCst);
    }

    /// Hears, and answers nothing from now on.
    pub fn fall_silent(&self) {
        self.answer(SILENCE);
    }

    /// The calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.heard().clone()
    }

    /// How many there were.
    pub fn count(&self) -> usize {
        self.shared.heard().len()
    }
}

impl Shared {
    fn heard(&self) -> MutexGuard<'_, Vec<Call>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers one call after the other, until the caller goes away.
    fn serve(&self, mut stream: TcpStream) -> Option<()> {
        stream.set_nodelay(true).ok()?;
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        loop {
            self.answer(&mut reader, &mut stream)?;
        }
    }

    fn answer(&self, reader: &mut BufReader<TcpStream>, stream: &mut TcpStream) -> Option<()> {
        let line = read_line(reader)?;
        let mut headers = Vec::new();
        loop {
            let header = read_line(reader)?;
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(':')?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut call = Call { at: Instant::now(), status: SILENCE, line, headers, body: Vec::new() };
        call.body.resize(call.header("Content-Length")?.parse().ok()?, 0);
        reader.read_exact(&mut call.body).ok()?;
        let status = self.hear(call);
        if status == SILENCE {
            // Until the caller goes away.
            let _ = reader.read(&mut [0]);
            return None;
        }
        let length = if status == 204 { "" } else { "Content-Length: 0\r\n" };
        stream.write_all(format!("HTTP/1.1 {status} x\r\n{length}\r\n").as_bytes()).ok()
    }

    /// Keeps a call, and says how it is answered.
    fn hear(&self, mut call: Call) -> u16 {
        let mut heard = self.heard();
        let refused = self.refused.load(Ordering::SeqCst);
        let is_refused = refused > 0 && (heard.len() + 1).is_multiple_of(refused);
        call.status = if is_refused { 503 } else { self.status.load(Ordering::SeqCst) };
        call.at = Instant::now();
        let status = call.status;
        heard.push(call);
        status
    }
}

fn read_line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    Some(line.trim_end().to_owned())
}
