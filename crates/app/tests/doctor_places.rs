//! What `doctor` says of the places where databases are: real servers and directories, as bad as they can be.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;
use support::doctor::{NO_POOL, examine, wrong};
use support::{directory, run};
use tenantry_testkit::postgres::{self, Server};

const SECRET_KEY: (&str, &str) = ("TENANTRY_SECRET_KEY", "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=");

/// A directory in which nobody can make a file, not even an administrator.
const UNWRITABLE: &str = "/proc";

/// An installation on this server, up to date.
struct OnServer {
    here: tempfile::TempDir,
    url: String,
    prefix: String,
}

impl OnServer {
    fn new(server: &Server) -> Self {
        let (url, prefix) = (server.fresh_database("doctor_"), server.fresh_prefix());
        let installed = Self { here: directory(), url, prefix };
        let said = run(installed.here.path(), &["migrate"], &installed.environment());
        assert_eq!(said.status, 0, "{}", said.stderr);
        installed
    }

    fn environment(&self) -> [(&str, &str); 4] {
        let (url, prefix) =
            (("TENANTRY_DATABASE_URL", &*self.url), ("TENANTRY__TENANT_DATABASES__PREFIX", &*self.prefix));
        [NO_POOL, SECRET_KEY, url, prefix]
    }

    fn examine(&self, more: &[&str]) -> (i32, Value) {
        examine(self.here.path(), more, &self.environment())
    }
}

/// What is said under this code.
fn said<'a>(found: &'a Value, code: &str) -> &'a Value {
    let findings = found["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("no {code}: {found}"))
}

#[test]
fn logins_that_may_enter_no_database_are_dropped_when_told_and_others_never() {
    let Some(server) = postgres::shared() else { return };
    let installed = OnServer::new(server);
    let created = run(installed.here.path(), &["tenants", "create", "acme"], &installed.environment());
    assert_eq!(created.status, 0, "{}", created.stderr);
    let prefix = &installed.prefix;
    let left = format!("{prefix}~{}", "0123456789abcdef".repeat(2));
    let logins = || {
        let sql =
            format!("SELECT rolname FROM pg_roles WHERE starts_with(rolname, '{prefix}~') AND rolcanlogin");
        server.query("postgres", &sql).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let before = logins();
    assert_eq!(before.len(), 1, "the tenant's");
    server.query("postgres", &format!("CREATE ROLE \"{left}\" LOGIN")).unwrap();

    let (status, found) = installed.examine(&[]);
    assert_eq!((status, wrong(&found)), (0, vec!["orphaned_logins".to_owned()]), "{found}");
    let finding = said(&found, "orphaned_logins");
    assert_eq!((&finding["fixable"], &finding["severity"]), (&true.into(), &"warning".into()));
    assert!(finding["what"].as_str().unwrap().contains(&left), "{finding}");
    assert_eq!(logins().len(), 2, "looking changes nothing");

    let (status, found) = installed.examine(&["--fix"]);
    assert_eq!((status, wrong(&found)), (0, vec![]), "{found}");
    assert_eq!(found["treated"][0]["done"], "1 logins dropped");
    assert_eq!(logins(), before);
}

/// As PostgreSQL leaves a database when a DROP DATABASE of it is interrupted: it keeps name and tag.
#[test]
fn a_database_that_was_half_removed_is_named_with_what_to_do_and_what_is_said_helps() {
    let Some(server) = postgres::shared() else { return };
    let installed = OnServer::new(server);
    for slug in ["acme", "beta"] {
        let created = run(installed.here.path(), &["tenants", "create", slug], &installed.environment());
        assert_eq!(created.status, 0, "{}", created.stderr);
    }
    let name = format!("{}acme", installed.prefix);
    server
        .query("postgres", &format!("UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{name}'"))
        .unwrap();
    for more in [&[][..], &["--fix"]] {
        let (status, found) = installed.examine(more);
        assert_eq!((status, wrong(&found)), (1, vec!["ruined_database".to_owned()]), "{found}");
        let finding = said(&found, "ruined_database");
        assert_eq!((&finding["where"], &finding["fixable"]), (&"tenant acme".into(), &false.into()));
        assert!(finding["what"].as_str().unwrap().contains(&name), "{finding}");
    }
    let (_, found) = installed.examine(&[]);
    let next = said(&found, "ruined_database")["next"].as_str().unwrap().to_owned();
    let sql = next.split_once('(').unwrap().1.split_once(')').unwrap().0.to_owned();
    server.query("postgres", &sql).unwrap();
    let left = wrong(&installed.examine(&[]).1);
    assert_eq!(left, ["missing_database", "orphaned_logins"], "it waits for its backup, and for its login");
}

#[test]
fn a_server_with_fewer_connections_than_one_process_may_want_is_found() {
    let Some(server) = postgres::shared() else { return };
    let installed = OnServer::new(server);
    let most: u32 = server.query("postgres", "SHOW max_connections").unwrap().parse().unwrap();
    let wanting = |connections: u32| {
        let connections = connections.to_string();
        let wish = [("TENANTRY__TENANT_DATABASES__MAX_OPEN_CONNECTIONS", &*connections)];
        examine(installed.here.path(), &[], &[&installed.environment()[..], &wish].concat())
    };
    let (status, found) = wanting(most);
    assert_eq!((status, wrong(&found)), (0, vec!["too_few_connections".to_owned()]), "{found}");
    let finding = said(&found, "too_few_connections");
    assert_eq!(finding["where"], "server main");
    assert!(finding["next"].as_str().unwrap().contains("max_open_connections"), "{finding}");
    let (status, found) = wanting(1);
    assert_eq!((status, wrong(&found)), (0, vec![]), "{found}");
}

#[test]
fn a_server_that_would_take_minutes_to_recover_is_found() {
    // A server of its own, since it is told to believe in databases that are not there.
    let Some(server) = postgres::durable() else { return };
    let installed = OnServer::new(&server);
    let believe = |from: usize, to: usize| {
        let sql = format!(
            "INSERT INTO pg_database SELECT (json_populate_record(model, \
                 json_build_object('oid', 900000 + n, 'datname', '{}x' || n))).* \
             FROM pg_database model, generate_series({from}, {to}) n WHERE model.datname = 'template0'",
            installed.prefix
        );
        server.query("postgres", &sql).unwrap();
    };
    believe(1, 199);
    let slow = |found: &Value| wrong(found).contains(&"slow_recovery".to_owned());
    let (_, found) = installed.examine(&[]);
    assert!(!slow(&found), "so few do not matter: {found}");
    believe(200, 200);
    let (_, found) = installed.examine(&[]);
    let finding = said(&found, "slow_recovery");
    assert_eq!((&finding["severity"], &finding["where"]), (&"warning".into(), &"server main".into()));
    assert!(finding["what"].as_str().unwrap().contains("200 databases"), "{finding}");

    // As is said there.
    for sql in finding["next"].as_str().unwrap().split_inclusive(';') {
        server.query("postgres", sql).unwrap();
    }
    support::server::until("the server has read its settings", || {
        let method = server.query("postgres", "SHOW recovery_init_sync_method").unwrap();
        (method == "syncfs").then_some(())
    });
    let (_, found) = installed.examine(&[]);
    assert!(!slow(&found), "{found}");
}

fn installed_in_files() -> tempfile::TempDir {
    let here = directory();
    let said = run(here.path(), &["tenants", "create", "acme"], &[NO_POOL]);
    assert_eq!(said.status, 0, "{}", said.stderr);
    here
}

/// Puts the directory away, and a link to one that nobody can write to in its place.
fn make_unwritable(path: &Path) {
    fs::rename(path, path.with_extension("away")).unwrap();
    symlink(UNWRITABLE, path).unwrap();
}

#[test]
fn a_directory_in_which_no_tenants_database_can_be_made_is_found() {
    let here = installed_in_files();
    let tenants = here.path().join("data/tenants");
    make_unwritable(&tenants);
    for more in [&[][..], &["--fix"]] {
        let (status, found) = examine(here.path(), more, &[NO_POOL]);
        let mut codes = wrong(&found);
        codes.sort();
        assert_eq!(
            (status, codes),
            (1, ["missing_database", "tenant_directory"].map(str::to_owned).to_vec()),
            "{found}"
        );
        let finding = said(&found, "tenant_directory");
        assert!(finding["where"].as_str().unwrap().ends_with("data/tenants"), "{finding}");
        assert!(finding["what"].as_str().unwrap().starts_with("files cannot be made there: "), "{finding}");
    }
    fs::remove_file(&tenants).unwrap();
    fs::rename(tenants.with_extension("away"), &tenants).unwrap();
    assert_eq!(wrong(&examine(here.path(), &[], &[NO_POOL]).1), Vec::<String>::new());
}

#[test]
fn a_data_directory_that_cannot_be_written_to_is_found() {
    let here = installed_in_files();
    let data = here.path().join("data");
    make_unwritable(&data);
    let control = format!("sqlite:{}", data.with_extension("away").join("control.db").display());
    let (status, found) = examine(here.path(), &["--fix"], &[NO_POOL, ("TENANTRY_DATABASE_URL", &control)]);
    assert_eq!((status, wrong(&found)), (1, vec!["data_dir_unwritable".to_owned()]), "{found}");
    let finding = said(&found, "data_dir_unwritable");
    assert!(finding["next"].as_str().unwrap().contains("TENANTRY_DATA_DIR"), "{finding}");
    assert!(finding["what"].as_str().unwrap().contains("cannot be written to"), "{finding}");
}
