use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Longer than any answer takes; only a broken server makes a client wait this long.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A caller with a connection of its own, kept open from request to request. Plain HTTP/1.1, nothing hidden: what a test
/// sends is what it wrote, and nothing is ever sent twice.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    /// What every request carries.
    headers: Vec<(String, String)>,
    connection: Option<BufReader<TcpStream>>,
}

impl Client {
    /// A caller of the server at this address.
    pub const fn new(address: SocketAddr) -> Self {
        Self { address, headers: Vec::new(), connection: None }
    }

    /// The same, with this header in every request.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, with this key or token in every request.
    #[must_use]
    pub fn with_bearer(self, token: &str) -> Self {
        self.with_header("Authorization", &format!("Bearer {token}"))
    }

    /// The key or token in every request.
    ///
    /// # Panics
    /// If there is none.
    pub fn bearer(&self) -> &str {
        let bearer =
            |(name, value): &'_ (String, String)| name == "Authorization" && value.starts_with("Bearer ");
        let (_, value) = self.headers.iter().find(|header| bearer(header)).expect("the caller has a key");
        &value["Bearer ".len()..]
    }

    /// A request to be sent.
    pub fn request(&mut self, method: &str, path: &str) -> Request<'_> {
        let headers = self.headers.clone();
        Request { method: method.to_owned(), path: path.to_owned(), headers, body: Vec::new(), client: self }
    }

    /// Sends a `GET`.
    pub fn get(&mut self, path: &str) -> Response {
        self.request("GET", path).send()
    }

    /// Sends a `POST` with this document.
    pub fn post(&mut self, path: &str, document: &Value) -> Response {
        self.request("POST", path).json(document).send()
    }

    /// The open connection, if the server has not closed it.
    fn reusable(&mut self) -> Option<BufReader<TcpStream>> {
        let connection = self.connection.take()?;
        let stream = connection.get_ref();
        stream.set_nonblocking(true).ok()?;
        let idle = matches!(stream.peek(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock);
        stream.set_nonblocking(false).ok()?;
        (idle && connection.buffer().is_empty()).then_some(connection)
    }

    fn connect(&mut self) -> io::Result<BufReader<TcpStream>> {
        if let Some(connection) = self.reusable() {
            return Ok(connection);
        }
        let stream = TcpStream::connect_timeout(&self.address, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(BufReader::new(stream))
    }

    fn exchange(&mut self, method: &str, bytes: &[u8]) -> io::Result<Response> {
        let mut connection = self.connect()?;
        connection.get_mut().write_all(bytes)?;
        let (response, open) = Response::read(&mut connection, method)?;
        if open {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

/// A request that is being put together.
#[derive(Debug)]
pub struct Request<'a> {
    client: &'a mut Client,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request<'_> {
    /// Adds a header, also if there is one of that name.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets key or token, in the place of one the client would send.
    #[must_use]
    pub fn bearer(mut self, token: &str) -> Self {
        self.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Sets the body, byte for byte.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sets the body to this document, and says so.
    #[must_use]
    pub fn json(self, document: &Value) -> Self {
        self.header("Content-Type", "application/json").body(document.to_string())
    }

    /// Sends it.
    ///
    /// # Panics
    /// If there is no answer.
    pub fn send(self) -> Response {
        let (method, path) = (self.method.clone(), self.path.clone());
        self.try_send().unwrap_or_else(|error| panic!("{method} {path} was not answered: {error}"))
    }

    /// Sends it to a server that may be dying.
    pub fn try_send(self) -> io::Result<Response> {
        let bytes = self.bytes();
        self.client.exchange(&self.method, &bytes)
    }

    /// Sends it over a connection of its own and does not wait for the answer, which may come as long as what is returned
    /// is kept.
    ///
    /// # Panics
    /// If it cannot be sent.
    pub fn send_off(self) -> TcpStream {
        let bytes = self.bytes();
        let mut connection = Client::new(self.client.address).connect().expect("the server listens");
        connection.get_mut().write_all(&bytes).expect("a request is sent");
        connection.into_inner()
    }

    fn bytes(&self) -> Vec<u8> {
        let Self { client, method, path, headers, body } = self;
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        let has = |wanted: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        if !has("Host") {
            head += &format!("Host: {}\r\n", client.address);
        }
        if !has("Content-Length")
            && (!body.is_empty() || !matches!(method.as_str(), "GET" | "HEAD" | "DELETE"))
        {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body);
        bytes
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

impl Response {
    /// The first header of this name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    ///
    /// # Panics
    /// If it is none.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body as a document.
    ///
    /// # Panics
    /// If it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!(
                "the body of this {} is no JSON ({error}): {}",
                self.status,
                String::from_utf8_lossy(&self.body)
            )
        })
    }

    /// The answer itself, if it has this status.
    ///
    /// # Panics
    /// With the body, if it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }

    /// Reads an answer; the flag says whether the connection can be used again.
    fn read(connection: &mut BufReader<TcpStream>, method: &str) -> io::Result<(Self, bool)> {
        let mut status = 100;
        let mut headers = Vec::new();
        // Interim answers announce the real one.
        while status < 200 {
            let line = line(connection)?;
            status =
                line.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| malformed(&line))?;
            headers = read_headers(connection)?;
        }
        let mut response = Self { status, headers, body: Vec::new() };
        let chunked = response.header("Transfer-Encoding").is_some_and(|coding| coding.contains("chunked"));
        let length =
            response.header("Content-Length").map(|text| text.parse::<u64>().map_err(|_| malformed(text)));
        let closes = response.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        let mut open = !closes;
        if method != "HEAD" && !matches!(status, 204 | 304) {
            if chunked {
                read_chunks(connection, &mut response.body)?;
            } else if let Some(length) = length.transpose()? {
                connection.take(length).read_to_end(&mut response.body)?;
                if response.body.len() as u64 != length {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            } else {
                connection.read_to_end(&mut response.body)?;
                open = false;
            }
        }
        Ok((response, open))
    }
}

fn read_headers(connection: &mut BufReader<TcpStream>) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = line(connection)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed(&line))?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}

fn read_chunks(connection: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let line_of_size = line(connection)?;
        let digits = line_of_size.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(digits, 16).map_err(|_| malformed(&line_of_size))?;
        if size == 0 {
            // Trailers, which nobody sends, end like headers.
            return read_headers(connection).map(|_| ());
        }
        let before = body.len() as u64;
        connection.take(size).read_to_end(body)?;
        if body.len() as u64 - before != size || !line(connection)?.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// A line without its end.
fn line(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    line.strip_suffix("\r\n").map(str::to_owned).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn malformed(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {text:?}"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::{JoinHandle, spawn};

    use super::*;

    /// A server that gives these answers, one connection each list, and tells what it was sent.
    fn server(connections: Vec<Vec<&'static str>>) -> (Client, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = Client::new(listener.local_addr().unwrap());
        let heard = spawn(move || {
            let mut heard = Vec::new();
            for answers in connections {
                let mut connection = BufReader::new(listener.accept().unwrap().0);
                for answer in answers {
                    heard.push(request(&mut connection));
                    connection.get_mut().write_all(answer.as_bytes()).unwrap();
                }
            }
            heard
        });
        (client, heard)
    }

    fn request(connection: &mut BufReader<TcpStream>) -> String {
        let first = line(connection).unwrap();
        let headers = read_headers(connection).unwrap();
        let length = headers.iter().find(|(name, _)| name == "Content-Length");
        let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
        connection.read_exact(&mut body).unwrap();
        let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
        format!("{first} {} {}", names.join(","), String::from_utf8(body).unwrap())
    }

    #[test]
    fn one_connection_carries_answers_of_every_framing() {
        let (mut client, heard) = server(vec![vec![
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
            "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\n\n\r\n0\r\n\r\n",
            "HTTP/1.1 204 No Content\r\n\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n",
            "HTTP/1.1 418 Teapot\r\n\r\nto the end",
        ]]);
        assert_eq!(client.post("/a", &serde_json::json!({ "b": 2 })).expect(200).json()["a"], 1);
        assert_eq!(client.get("/b").expect(201).text(), "abc\n");
        assert!(client.get("/c").expect(204).body.is_empty());
        let head = client.request("HEAD", "/d").header("X-A", "1").send();
        assert_eq!((head.header("Content-Length"), head.body.len()), (Some("99"), 0));
        assert_eq!(client.get("/e").expect(418).text(), "to the end");
        assert_eq!(
            heard.join().unwrap(),
            [
                "POST /a HTTP/1.1 Host,Content-Length,Content-Type {\"b\":2}",
                "GET /b HTTP/1.1 Host ",
                "GET /c HTTP/1.1 Host ",
                "HEAD /d HTTP/1.1 Host,X-A ",
                "GET /e HTTP/1.1 Host ",
            ]
        );
    }

    #[test]
    fn a_connection_that_the_server_closed_is_not_used_again() {
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let closing = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let (mut client, heard) = server(vec![vec![closing], vec![ok]]);
        assert_eq!(client.get("/1").status, 200);
        assert_eq!(client.get("/2").status, 200);
        assert_eq!(heard.join().unwrap().len(), 2);
    }

    #[test]
    fn a_torn_answer_is_an_error_and_is_not_asked_for_again() {
        let (mut client, heard) = server(vec![vec!["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"]]);
        let error = client.request("GET", "/").try_send().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(heard.join().unwrap().len(), 1);
    }

    #[test]
    fn a_requests_own_token_takes_the_place_of_the_clients() {
        let ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let (client, heard) = server(vec![vec![ok]]);
        client.with_bearer("one").request("GET", "/").bearer("two").send().expect(200);
        assert_eq!(heard.join().unwrap(), ["GET / HTTP/1.1 Host,Authorization "]);
    }
}
