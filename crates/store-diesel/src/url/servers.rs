//! Where a PostgreSQL server is, for those who have to keep off it.

use super::PostgresUrl;

/// libpq's.
const DEFAULT_PORT: u16 = 5432;

impl PostgresUrl {
    /// The hosts (names or addresses) and ports that libpq connects to by this URL. A server that is entered by a Unix socket
    /// is taken to listen on this machine, too.
    pub fn servers(&self) -> Vec<(String, u16)> {
        let authority = self.authority.rsplit_once('@').map_or(self.authority.as_str(), |(_, hosts)| hosts);
        let (mut hosts, mut ports): (Vec<_>, Vec<_>) = authority.split(',').map(host_and_port).unzip();
        let given = |wanted: &str| {
            let (_, value) = self.parameters.iter().rev().find(|(name, _)| name == wanted)?;
            Some(value.replace("%2C", ",").replace("%2c", ","))
        };
        if let Some(port) = given("port") {
            ports = port.split(',').map(|port| port.parse().unwrap_or(DEFAULT_PORT)).collect();
        }
        if let Some(host) = given("host") {
            hosts = host.split(',').map(str::to_owned).collect();
        }
        let addresses = given("hostaddr").unwrap_or_default();
        let addresses = addresses.split(',').filter(|address| !address.is_empty()).map(str::to_owned);
        let port = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(DEFAULT_PORT);
        let with_port = |(index, host): (usize, String)| (or_this_machine(host), port(index));
        hosts.into_iter().enumerate().chain(addresses.enumerate()).map(with_port).collect()
    }
}

/// An IPv6 address is in brackets.
fn host_and_port(text: &str) -> (String, u16) {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, rest)) => (host, rest.strip_prefix(':')),
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    (host.to_owned(), port.and_then(|port| port.parse().ok()).unwrap_or(DEFAULT_PORT))
}

/// No host, a directory and an abstract name are Unix sockets.
fn or_this_machine(host: String) -> String {
    let is_socket =
        host.is_empty() || host.starts_with(['/', '@']) || host.starts_with("%2F") || host.starts_with("%2f");
    if is_socket { "localhost".to_owned() } else { host }
}

#[cfg(test)]
mod tests {
    use crate::DatabaseUrl;

    #[test]
    fn every_host_of_a_url_is_named_with_its_port() {
        for (url, expected) in [
            ("postgres://db.example/x", &[("db.example", 5432)][..]),
            ("postgres://u:p%40w@db.example:6432/x", &[("db.example", 6432)]),
            ("postgres://u:a@b@10.0.0.5/x", &[("10.0.0.5", 5432)]),
            ("postgres://[fd00::5]:6432/x", &[("fd00::5", 6432)]),
            ("postgres://[::1]/x", &[("::1", 5432)]),
            ("postgres://a:1,b:2/x", &[("a", 1), ("b", 2)]),
            ("postgres:///x", &[("localhost", 5432)]),
            ("postgres:///x?host=/run/postgresql&port=6432", &[("localhost", 6432)]),
            ("postgres://%2Frun%2Fpostgresql/x", &[("localhost", 5432)]),
            ("postgres:///x?host=a,b&port=7", &[("a", 7), ("b", 7)]),
            ("postgres:///x?host=a%2Cb&port=7,8", &[("a", 7), ("b", 8)]),
            ("postgres://db.example/x?hostaddr=10.0.0.5", &[("db.example", 5432), ("10.0.0.5", 5432)]),
        ] {
            let Ok(DatabaseUrl::Postgres(parsed)) = url.parse() else { panic!("{url}") };
            let servers = parsed.servers();
            assert_eq!(
                servers.iter().map(|(host, port)| (host.as_str(), *port)).collect::<Vec<_>>(),
                expected
            );
        }
    }
}
