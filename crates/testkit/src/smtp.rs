//! A mail server to test with: real SMTP over real sockets, and as unfriendly as it is told to be.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// A connection, whatever is between it and the socket.
pub trait Wire: Read + Write + Send {}
impl<T: Read + Write + Send> Wire for T {}

/// Puts TLS (or anything else) on a connection; none if that did not come about.
pub type Upgrade = Box<dyn Fn(TcpStream) -> Option<Box<dyn Wire>> + Send + Sync>;

/// What a server offers and asks for.
#[derive(Default)]
pub struct SmtpOptions {
    /// Speaks TLS from the first byte.
    pub tls: Option<Upgrade>,
    /// Offers `STARTTLS`, and takes no mail without.
    pub starttls: Option<Upgrade>,
    /// Takes no mail unless the client says `AUTH PLAIN` and this (base64 of `\0user\0password`).
    pub auth: Option<String>,
    /// Takes addresses beyond ASCII.
    pub utf8: bool,
}

/// A mail that a server took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// `MAIL FROM`.
    pub from: String,
    /// `RCPT TO`.
    pub to: Vec<String>,
    /// Headers and body, with the client's line ends and without what was for the transport.
    pub data: String,
    /// Whether it came over TLS.
    pub encrypted: bool,
}

impl ReceivedMail {
    /// The value of a header, in one line; none if there is none, or more than one.
    pub fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.data.split_once("\r\n\r\n")?;
        let head = head.replace("\r\n ", " ");
        let mut values = head.split("\r\n").filter_map(|line| {
            let (other, value) = line.split_once(": ")?;
            other.eq_ignore_ascii_case(name).then(|| value.to_owned())
        });
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }
}

/// How a server reacts to a command other than it should.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// With this line.
    Reply(String),
    /// By closing the connection.
    HangUp,
    /// Not at all, until the client goes away.
    Silence,
}

/// A mail server on a loopback port. It lives as long as the process.
pub struct SmtpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    options: SmtpOptions,
    mails: Mutex<Vec<ReceivedMail>>,
    script: Mutex<VecDeque<(&'static str, Reaction)>>,
}

impl SmtpServer {
    /// A friendly server that asks for nothing.
    pub fn start() -> Self {
        Self::with(SmtpOptions::default())
    }

    /// A server on a port of its own.
    ///
    /// # Panics
    /// If there is no port left.
    pub fn with(options: SmtpOptions) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").expect("a port is free"), options)
    }

    /// A server that was announced before it was there.
    ///
    /// # Panics
    /// If the listener has no address.
    pub fn on(listener: TcpListener, options: SmtpOptions) -> Self {
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared { options, mails: Mutex::default(), script: Mutex::default() });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let server = Arc::clone(&server);
                thread::spawn(move || Session::run(&server, stream));
            }
        });
        Self { address, shared }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The mails it took so far.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        lock(&self.shared.mails).clone()
    }

    /// Has the next command with this verb (`EHLO`, `AUTH`, `MAIL`, `RCPT`, `DATA`, `QUIT`, or `.` for the end of a mail,
    /// or `CONNECT`) that is not spoken for yet answered like this, once.
    pub fn react(&self, verb: &'static str, reaction: Reaction) {
        lock(&self.shared.script).push_back((verb, reaction));
    }

    /// The same with a line of words.
    pub fn reply(&self, verb: &'static str, line: &str) {
        self.react(verb, Reaction::Reply(line.to_owned()));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One connection.
struct Session<'a> {
    server: &'a Shared,
    /// For putting TLS on later.
    socket: TcpStream,
    wire: Box<dyn Wire>,
    encrypted: bool,
    authenticated: bool,
    mail: Option<ReceivedMail>,
}

impl Session<'_> {
    fn run(server: &Shared, stream: TcpStream) {
        let Ok(socket) = stream.try_clone() else { return };
        let wire = match &server.options.tls {
            None => Some(Box::new(stream) as Box<dyn Wire>),
            Some(upgrade) => upgrade(stream),
        };
        let Some(wire) = wire else { return };
        let encrypted = server.options.tls.is_some();
        let mut session = Session { server, socket, wire, encrypted, authenticated: false, mail: None };
        // That the client went away is its business.
        let _ = session.serve();
    }

    fn serve(&mut self) -> io::Result<()> {
        self.answer("CONNECT", "220 test.example ESMTP")?;
        loop {
            let line = self.read_line()?;
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.greet()?,
                "STARTTLS" => self.start_tls()?,
                "AUTH" => {
                    let known = rest.strip_prefix("PLAIN ") == self.server.options.auth.as_deref();
                    self.authenticated = known;
                    self.answer("AUTH", if known { "235 2.7.0 welcome" } else { "535 5.7.8 who are you?" })?;
                }
                "MAIL" => self.begin(rest)?,
                "RCPT" => match &mut self.mail {
                    Some(mail) => {
                        mail.to.push(address(rest));
                        self.answer("RCPT", "250 2.1.5 ok")?;
                    }
                    None => self.say("503 5.5.1 MAIL first")?,
                },
                "DATA" => self.take_mail()?,
                "QUIT" => return self.answer("QUIT", "221 2.0.0 bye"),
                _ => self.say("502 5.5.2 what?")?,
            }
        }
    }

    fn greet(&mut self) -> io::Result<()> {
        let options = &self.server.options;
        let mut offers = vec!["test.example", "8BITMIME"];
        offers.extend(options.utf8.then_some("SMTPUTF8"));
        offers.extend((options.starttls.is_some() && !self.encrypted).then_some("STARTTLS"));
        offers.extend(options.auth.is_some().then_some("AUTH PLAIN"));
        let last = offers.len() - 1;
        let lines: Vec<_> = offers
            .iter()
            .enumerate()
            .map(|(i, offer)| format!("250{}{offer}", if i == last { ' ' } else { '-' }))
            .collect();
        self.answer("EHLO", &lines.join("\r\n"))
    }

    fn start_tls(&mut self) -> io::Result<()> {
        let Some(upgrade) = &self.server.options.starttls else { return self.say("502 5.5.1 not here") };
        self.answer("STARTTLS", "220 2.0.0 go ahead")?;
        self.wire = upgrade(self.socket.try_clone()?).ok_or(io::ErrorKind::ConnectionAborted)?;
        self.encrypted = true;
        Ok(())
    }

    fn begin(&mut self, rest: &str) -> io::Result<()> {
        if self.server.options.starttls.is_some() && !self.encrypted {
            return self.say("530 5.7.0 STARTTLS first");
        }
        if self.server.options.auth.is_some() && !self.authenticated {
            return self.say("530 5.7.0 AUTH first");
        }
        let encrypted = self.encrypted;
        self.mail =
            Some(ReceivedMail { from: address(rest), to: Vec::new(), data: String::new(), encrypted });
        self.answer("MAIL", "250 2.1.0 ok")
    }

    fn take_mail(&mut self) -> io::Result<()> {
        let Some(mut mail) = self.mail.take() else { return self.say("503 5.5.1 RCPT first") };
        if let Some(reaction) = self.reaction("DATA") {
            return self.do_as_told(reaction);
        }
        self.say("354 go ahead")?;
        loop {
            let line = self.read_line()?;
            if line == "." {
                break;
            }
            mail.data += line.strip_prefix('.').unwrap_or(&line);
            mail.data += "\r\n";
        }
        match self.reaction(".") {
            None => {
                lock(&self.server.mails).push(mail);
                self.say("250 2.0.0 queued")
            }
            Some(reaction) => self.do_as_told(reaction),
        }
    }

    /// Answers as it should, unless it was told otherwise.
    fn answer(&mut self, verb: &str, line: &str) -> io::Result<()> {
        match self.reaction(verb) {
            None => self.say(line),
            Some(reaction) => self.do_as_told(reaction),
        }
    }

    fn reaction(&self, verb: &str) -> Option<Reaction> {
        let mut script = lock(&self.server.script);
        let place = script.iter().position(|(told, _)| *told == verb)?;
        script.remove(place).map(|(_, reaction)| reaction)
    }

    fn do_as_told(&mut self, reaction: Reaction) -> io::Result<()> {
        match reaction {
            Reaction::Reply(line) => self.say(&line),
            Reaction::HangUp => {
                self.socket.shutdown(std::net::Shutdown::Both)?;
                Err(io::ErrorKind::ConnectionAborted.into())
            }
            Reaction::Silence => loop {
                self.read_line()?;
            },
        }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        self.wire.write_all(format!("{line}\r\n").as_bytes())?;
        self.wire.flush()
    }

    /// A line without its end, which has to be CR and LF.
    fn read_line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        while !line.ends_with(b"\r\n") {
            self.wire.read_exact(&mut byte)?;
            line.push(byte[0]);
        }
        line.truncate(line.len() - 2);
        String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

/// What is between `<` and `>`.
fn address(text: &str) -> String {
    let inner = text.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or(String::new(), |(address, _)| address.to_owned())
}
