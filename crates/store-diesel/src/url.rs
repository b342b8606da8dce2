mod servers;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tenantry_ports::Secret;

/// Where a control database is. Its `Debug` and errors never show a password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// A SQLite file: `sqlite:PATH`.
    Sqlite(PathBuf),
    /// A database of a PostgreSQL server: `postgres://…`.
    Postgres(PostgresUrl),
}

/// The text is not the URL of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0}; a database URL is sqlite:PATH (as in sqlite:data/control.db) or \
     postgres://USER:PASSWORD@HOST:PORT/DATABASE (or postgresql://…)"
)]
pub struct InvalidUrl(&'static str);

/// A PostgreSQL URL in its parts, so that another database of the same server can be named.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    /// User, password, hosts and ports, as written.
    authority: String,
    /// As written, percent-encoded.
    database: String,
    /// As written, without the `options` below.
    parameters: Vec<(String, String)>,
    /// `options` for the server, percent-encoded.
    options: Option<String>,
}

impl FromStr for DatabaseUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidUrl("it has no scheme"))?;
        match scheme {
            "sqlite" => match rest {
                "" | ":memory:" => Err(InvalidUrl("a SQLite database needs the path of a file")),
                path => Ok(Self::Sqlite(PathBuf::from(path.strip_prefix("//").unwrap_or(path)))),
            },
            "postgres" | "postgresql" => {
                let rest = rest.strip_prefix("//").ok_or(InvalidUrl("'//' must follow the scheme"))?;
                PostgresUrl::parse(rest).map(Self::Postgres)
            }
            _ => Err(InvalidUrl("there is no such kind of database")),
        }
    }
}

impl PostgresUrl {
    fn parse(rest: &str) -> Result<Self, InvalidUrl> {
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = place.split_once('/').unwrap_or((place, ""));
        if database.is_empty() || database.contains('/') {
            return Err(InvalidUrl("it names no database"));
        }
        let mut parameters = Vec::new();
        let mut options = None;
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=').ok_or(InvalidUrl("a parameter has no value"))? {
                ("dbname", _) => {
                    return Err(InvalidUrl("the database's name goes into the path, not into 'dbname'"));
                }
                ("options", value) => options = Some(value.to_owned()),
                (name, value) => parameters.push((name.to_owned(), value.to_owned())),
            }
        }
        Ok(Self { authority: authority.to_owned(), database: database.to_owned(), parameters, options })
    }

    /// The name of the database, as it is written in the URL.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// The same server, another database. The name has to be fit for a URL, as those of tenants' databases are.
    pub(crate) fn with_database(&self, name: &str) -> Self {
        Self { database: name.to_owned(), ..self.clone() }
    }

    /// The same place, entered as somebody else. The user has to be fit for a URL, as tenants' logins are.
    pub(crate) fn with_login(&self, user: &str, password: &Secret) -> Self {
        let hosts = self.authority.rsplit_once('@').map_or(self.authority.as_str(), |(_, hosts)| hosts);
        let of_another = |name: &str| matches!(name, "user" | "password" | "passfile");
        let parameters = self.parameters.iter().filter(|(name, _)| !of_another(name));
        Self {
            authority: format!("{user}:{}@{hosts}", encoded(password.expose())),
            parameters: parameters.cloned().collect(),
            ..self.clone()
        }
    }

    /// What libpq connects with: these parameters and server settings, unless the URL itself says otherwise.
    pub(crate) fn conninfo(&self, parameters: &[(&str, String)], settings: &[(&str, String)]) -> String {
        let mut text = format!("postgresql://{}/{}?", self.authority, self.database);
        let own =
            parameters.iter().filter(|(name, _)| self.parameters.iter().all(|(given, _)| given != name));
        for (name, value) in own {
            text.push_str(&format!("{name}={value}&"));
        }
        for (name, value) in &self.parameters {
            text.push_str(&format!("{name}={value}&"));
        }
        text.push_str("options=");
        for (name, value) in settings {
            text.push_str(&format!("-c%20{name}%3D{value}%20"));
        }
        text.push_str(self.options.as_deref().unwrap_or_default());
        text
    }

    /// What libpq says, without the password, and without the URL it was said about.
    pub(crate) fn redact(&self, message: &str) -> String {
        if message.contains("://") {
            return "the URL is malformed".to_owned();
        }
        let user = self.authority.rsplit_once('@').map_or("", |(user, _)| user);
        match user.split_once(':') {
            Some((_, password)) if !password.is_empty() => message.replace(password, "***"),
            _ => message.to_owned(),
        }
    }
}

/// Percent-encoded, but for what means itself everywhere in a URL.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut url, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            url.push(byte.into());
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
        url
    })
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.authority.rsplit_once('@').map_or(self.authority.as_str(), |(_, host)| host);
        write!(f, "postgres://{host}/{}", self.database)
    }
}

/// The URI by which SQLite opens a file; `mode` is one of its own, as `rw`.
pub(crate) fn sqlite_uri(path: &Path, mode: &str) -> String {
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{escaped}?mode={mode}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_urls_name_a_file() {
        for (text, path) in [
            ("sqlite:data/control.db", "data/control.db"),
            ("sqlite:/var/lib/x.db", "/var/lib/x.db"),
            ("sqlite:///var/lib/x.db", "/var/lib/x.db"),
        ] {
            assert_eq!(text.parse(), Ok(DatabaseUrl::Sqlite(path.into())), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_and_not_repeated() {
        for text in [
            "",
            "data/control.db",
            "mysql://root:hunter2@db/x",
            "sqlite:",
            "sqlite::memory:",
            "postgres://u:hunter2@db",
            "postgres://u:hunter2@db/",
            "postgres:u:hunter2@db/x",
            "postgres://u:hunter2@db/x?dbname=y",
        ] {
            let message = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(message.contains("sqlite:PATH") && message.contains("postgres://"), "{message}");
            assert!(!message.contains("hunter2"), "{message}");
        }
    }

    #[test]
    fn another_database_of_the_server_keeps_everything_else() {
        let Ok(DatabaseUrl::Postgres(url)) =
            "postgresql://u:p%40w@a:1,b:2/ctl?sslmode=require&connect_timeout=9".parse()
        else {
            panic!("no PostgreSQL URL")
        };
        let parameters = [("connect_timeout", "2".to_owned()), ("application_name", "tenantry".to_owned())];
        assert_eq!(
            url.with_database("ecom_tenant_acme")
                .conninfo(&parameters, &[("lock_timeout", "5000".to_owned())]),
            "postgresql://u:p%40w@a:1,b:2/ecom_tenant_acme?application_name=tenantry&sslmode=require&connect_timeout=9&\
             options=-c%20lock_timeout%3D5000%20",
        );
        let Ok(DatabaseUrl::Postgres(own)) = "postgres://h/ctl?options=-c%20jit%3Doff".parse() else {
            panic!("no PostgreSQL URL")
        };
        assert_eq!(
            own.conninfo(&[], &[("jit", "on".to_owned())]),
            "postgresql://h/ctl?options=-c%20jit%3Don%20-c%20jit%3Doff",
            "what the URL says comes last and wins"
        );
    }

    #[test]
    fn a_tenant_enters_as_itself_whoever_the_url_names() {
        for (url, expected) in [
            (
                "postgres://u:p%40w@a:1,b:2/ctl?sslmode=require",
                "postgresql://t~1:a%2Fb@a:1,b:2/t_acme?sslmode=require&",
            ),
            ("postgres://db/ctl?user=u&password=p&passfile=/x", "postgresql://t~1:a%2Fb@db/t_acme?"),
            ("postgres:///ctl?host=/run/postgresql", "postgresql://t~1:a%2Fb@/t_acme?host=/run/postgresql&"),
        ] {
            let Ok(DatabaseUrl::Postgres(url)) = url.parse() else { panic!("no PostgreSQL URL") };
            let login = url.with_database("t_acme").with_login("t~1", &Secret::new("a/b"));
            assert_eq!(login.conninfo(&[], &[]), format!("{expected}options="));
            assert_eq!(login.redact("no a%2Fb at db"), "no *** at db");
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        let url: DatabaseUrl = "postgres://u:hunter2@db:5432/ctl".parse().unwrap();
        assert_eq!(format!("{url:?}"), "postgres://db:5432/ctl");
        let DatabaseUrl::Postgres(url) = url else { panic!("no PostgreSQL URL") };
        assert_eq!(url.redact("no hunter2 at db"), "no *** at db");
        assert_eq!(url.redact("bad port in \"postgresql://u:hunter2@db\""), "the URL is malformed");
    }

    #[test]
    fn sqlite_paths_may_have_any_character() {
        assert_eq!(sqlite_uri(Path::new("/a b/50%?#.db"), "rw"), "file:/a b/50%25%3f%23.db?mode=rw");
    }
}
