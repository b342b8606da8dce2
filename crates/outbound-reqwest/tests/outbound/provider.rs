//! A provider of our own: a server over plain sockets that hears what is asked and answers as it is told.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a server heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    /// Request line and headers, in lower case.
    pub(crate) head: String,
    /// The same as they came.
    pub(crate) exact_head: String,
    /// The body as it came.
    pub(crate) body: String,
}

/// A server on a loopback port. It lives as long as the process.
pub(crate) struct Provider {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Provider {
    /// Answers every request by letting `answer` write to the connection, which is closed afterwards.
    pub(crate) fn new(answer: impl Fn(&mut dyn Wire) + Send + Sync + 'static) -> Self {
        Self::over(answer, |stream| Some(Box::new(stream)))
    }

    /// The same at this address of the machine.
    pub(crate) fn at(address: IpAddr, answer: impl Fn(&mut dyn Wire) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        Self::listening(listener, answer, |stream| Some(Box::new(stream)))
    }

    /// The same, with something between the socket and HTTP. `None`: it did not come about.
    pub(crate) fn over(
        answer: impl Fn(&mut dyn Wire) + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Wire>> + Send + Sync + 'static,
    ) -> Self {
        Self::listening(TcpListener::bind("127.0.0.1:0").unwrap(), answer, wrap)
    }

    fn listening(
        listener: TcpListener,
        answer: impl Fn(&mut dyn Wire) + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Wire>> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let ears = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Some(mut wire) = wrap(stream.unwrap()) else {
                    continue;
                };
                let Some(request) = read_request(&mut *wire) else {
                    continue;
                };
                ears.lock().unwrap().push(request);
                answer(&mut *wire);
            }
        });
        Self { address, heard }
    }

    /// Answers every request with this status and JSON.
    pub(crate) fn saying(status: u16, body: &str) -> Self {
        let response = response(status, body);
        Self::new(move |wire| send(wire, response.as_bytes()))
    }

    /// The endpoint to be configured.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}/siteverify", self.address)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests that came so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

/// A connection, whatever is between it and the socket.
pub(crate) trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// A whole response.
pub(crate) fn response(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Sends what the client may not want to have: that it went away is no fault of the server.
pub(crate) fn send(wire: &mut dyn Wire, bytes: &[u8]) {
    let _ = wire.write_all(bytes).and_then(|()| wire.flush());
}

/// Says nothing until the client has gone.
pub(crate) fn wait_for_the_end(wire: &mut dyn Wire) {
    while matches!(wire.read(&mut [0; 64]), Ok(1..)) {}
}

/// `None` if the client went away before it had asked.
fn read_request(wire: &mut dyn Wire) -> Option<Heard> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    loop {
        let read = wire.read(&mut part).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let (head, exact_head) = (head.to_ascii_lowercase(), head.to_owned());
        let length: usize =
            head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
        if body.len() >= length {
            return Some(Heard { head, exact_head, body: body.to_owned() });
        }
    }
}

/// A port nobody should connect to.
pub(crate) struct Canary(TcpListener);

impl Canary {
    /// Takes a port.
    pub(crate) fn new() -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into()).unwrap()
    }

    /// Takes a port at every address of this machine, of IPv6 too if it has that.
    pub(crate) fn everywhere() -> Self {
        let any = |ip: IpAddr| Self::at((ip, 0).into());
        any(Ipv6Addr::UNSPECIFIED.into()).or_else(|_| any(Ipv4Addr::UNSPECIFIED.into())).unwrap()
    }

    /// Takes this one.
    pub(crate) fn at(address: SocketAddr) -> std::io::Result<Self> {
        TcpListener::bind(address).map(Self)
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Whether our own connection is the first that ever came; connections are accepted in the order they came.
    pub(crate) fn is_untouched(&self) -> bool {
        let ours = TcpStream::connect(self.address()).unwrap();
        let (_, first) = self.0.accept().unwrap();
        first == ours.local_addr().unwrap()
    }
}
