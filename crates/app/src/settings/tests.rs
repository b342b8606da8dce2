mod access;
mod clusters;

use std::time::Duration;

use tenantry_domain::tenant::{Limit, Plan, QuotaKind};

use super::environment::long_form;
use super::*;

mod notifications;
mod retention;
mod webhooks;

fn load(file: Option<&Path>, environment: &Environment, flags: &Flags) -> Result<Settings, Failure> {
    Settings::read(&layers(file, environment, flags)?).map_err(|problems| failure(&problems))
}

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn stores(url: &str, data_dir: &str) -> tenantry_store_diesel::StoreSettings {
    tenantry_store_diesel::StoreSettings::new(url.parse().unwrap(), data_dir)
}

fn refused(text: &str, pairs: &[(&str, &str)]) -> String {
    let file = file(text);
    let failure = load(Some(file.path()), &environment(pairs), &Vec::new()).unwrap_err();
    failure.to_string().replace(&file.path().display().to_string(), "FILE")
}

#[test]
fn the_defaults_are_what_the_documentation_says() {
    let settings = load(None, &Vec::new(), &Vec::new()).unwrap();
    assert_eq!(settings.server.bind.to_string(), "127.0.0.1:5000");
    assert_eq!(settings.server.api_prefix, "api/v1");
    assert_eq!(format!("{:?}", settings.stores), format!("{:?}", stores("sqlite:data/control.db", "data")));
    assert!(settings.own_logins);
    assert!(matches!(settings.provisioning.access, Access::Open));
    assert_eq!(settings.log.format, LogFormat::Auto);
    assert!(settings.notifications.mail.is_none() && settings.notifications.webhook.is_none());
    assert_eq!(insecure(&settings), None);
    let (webhooks, rules) = (&settings.webhooks, tenantry_outbound_reqwest::EndpointRules::default());
    assert!(!webhooks.allow_private && !webhooks.allow_http && webhooks.networks.is_empty());
    assert_eq!((&webhooks.ports, webhooks.timeout.as_secs()), (&rules.ports, 15));
    assert_eq!(webhooks.excerpt, tenantry_outbound_reqwest::EndpointSettings::default().excerpt);
    let http = tenantry_http_actix::HttpSettings::default();
    assert_eq!(settings.rate_limits, http.rate_limits);
    assert_eq!(settings.caller_percent, http.caller_percent);
    assert_eq!(settings.server.trusted_proxies, http.trusted_proxies);
    let allowance = |plan, kind| settings.plans.of(plan).allowance.of(kind);
    assert_eq!(allowance(Plan::Basic, QuotaKind::Accounts), Limit::AtMost(1_000_000));
    assert_eq!(allowance(Plan::Premium, QuotaKind::Requests), Limit::AtMost(12_000_000));
    assert_eq!(settings.plans.of(Plan::Premium).burst, 1_200_000);
    assert_eq!(allowance(Plan::Enterprise, QuotaKind::ApiKeys), Limit::Unlimited);
    let policy = tenantry_usecases::Policy::default();
    let same = |ours: Duration, theirs: chrono::TimeDelta| assert_eq!(ours, theirs.to_std().unwrap());
    assert_eq!(settings.auth.passwords, policy.passwords);
    assert_eq!(settings.auth.argon2, tenantry_security::Argon2Cost::default());
    same(settings.auth.access_token_ttl, policy.access_token_ttl);
    same(settings.auth.refresh_token_ttl, policy.refresh_token_ttl);
    same(settings.auth.refresh_grace, policy.refresh_grace);
    same(settings.auth.session_lifetime, policy.session_lifetime);
    assert_eq!(settings.auth.register_returns_token, policy.register_returns_token);
    same(settings.provisioning.lease, policy.lease);
    same(settings.day_grace, policy.day_grace);
    same(settings.idempotency_retention, policy.idempotency_retention);
}

/// Every subset of layers sets the same key, each for every layer: the highest that is there wins, and is named.
#[test]
fn flags_win_over_the_environment_over_the_file_over_the_defaults() {
    for kind in ["server.bind", "data_dir"] {
        let value = |n: u8| {
            if kind == "data_dir" { format!("dir{n}") } else { format!("127.0.0.1:100{n}") }
        };
        let (section, key) = kind.split_once('.').unwrap_or(("", kind));
        let header = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
        let given = file(&format!("{header}{key} = {:?}\n", value(1)));
        for (variable, subset) in
            ["short", "long"].into_iter().flat_map(|form| (0..8).map(move |set| (form, set)))
        {
            let variable = match (variable, kind) {
                ("long", name) => long_form(name),
                (_, "data_dir") => "TENANTRY_DATA_DIR".to_owned(),
                _ => "TENANTRY_BIND".to_owned(),
            };
            let path = (subset & 1 != 0).then(|| given.path());
            let pairs = [(variable.as_str(), &*value(2))];
            let environment = if subset & 2 != 0 { environment(&pairs) } else { Vec::new() };
            let flags = if subset & 4 != 0 { vec![(kind, value(3), "--flag")] } else { Vec::new() };
            let layers = layers(path, &environment, &flags).unwrap();
            let (found, origin) = layers.get(kind).unwrap();
            let (expected, from) = match subset {
                4.. => (value(3), Origin::Flag("--flag")),
                2.. => (value(2), Origin::Environment(variable.clone())),
                1 => (value(1), Origin::File(given.path().to_owned())),
                _ => (
                    Layers::defaults().unwrap().get(kind).unwrap().0.to_string().replace('"', ""),
                    Origin::Default,
                ),
            };
            assert_eq!(
                (found.to_string(), origin),
                (format!("\"{expected}\""), &from),
                "{kind} {variable} {subset}"
            );
        }
    }
}

#[test]
fn the_environment_names_the_file_and_the_flag_overrules_it() {
    let (one, two) = (file("[server]\nworkers = 1\n"), file("[server]\nworkers = 2\n"));
    let environment = environment(&[("TENANTRY_CONFIG", one.path().to_str().unwrap())]);
    assert_eq!(load(None, &environment, &Vec::new()).unwrap().server.workers, 1);
    assert_eq!(load(Some(two.path()), &environment, &Vec::new()).unwrap().server.workers, 2);
}

#[test]
fn the_long_form_sets_numbers_and_flags_too() {
    let pairs =
        [("TENANTRY__SERVER__WORKERS", "3"), ("TENANTRY__PROVISIONING__ALLOW_OPEN_ON_PUBLIC", "true")];
    let settings = load(None, &environment(&pairs), &Vec::new()).unwrap();
    assert_eq!((settings.server.workers, settings.provisioning.allow_open_on_public), (3, true));
}

#[test]
fn a_key_of_digits_stays_text() {
    let key = "123456789012345678901234567890";
    let settings = load(None, &environment(&[("TENANTRY_OPERATOR_KEY", key)]), &Vec::new()).unwrap();
    assert_eq!(settings.operator_key.unwrap().expose(), key);
}

#[test]
fn the_control_database_follows_the_data_directory_unless_it_has_a_place_of_its_own() {
    let url = |pairs: &[(&str, &str)]| load(None, &environment(pairs), &Vec::new()).unwrap().stores.url;
    let moved = ("TENANTRY_DATA_DIR", "/srv/t");
    assert_eq!(url(&[moved]), "sqlite:/srv/t/control.db".parse().unwrap());
    assert_eq!(
        url(&[moved, ("TENANTRY_DATABASE_URL", "sqlite:/else/c.db")]),
        "sqlite:/else/c.db".parse().unwrap()
    );
}

#[test]
fn secrets_are_read_from_the_file_a_variable_names() {
    let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let (secret, operator, url) =
        (file(&format!("{key}\n")), file(" an-operator-key-of-my-own \n"), file("sqlite:x\n"));
    let captcha = file("0x4AAA\n");
    let path = |file: &tempfile::NamedTempFile| file.path().to_str().unwrap().to_owned();
    for long in [false, true] {
        let name = |short: &str, name: &str| {
            if long { long_form(name) + "_FILE" } else { format!("{short}_FILE") }
        };
        let variables = vec![
            (name("TENANTRY_SECRET_KEY", "secrets.secret_key"), path(&secret)),
            (name("TENANTRY_OPERATOR_KEY", "secrets.operator_key"), path(&operator)),
            (name("TENANTRY_DATABASE_URL", "database.url"), path(&url)),
            (name("TENANTRY_CAPTCHA_SECRET", "provisioning.captcha.secret"), path(&captcha)),
            ("TENANTRY_PROVISIONING_ACCESS".to_owned(), "captcha".to_owned()),
            ("TENANTRY__PROVISIONING__CAPTCHA__PROVIDER".to_owned(), "turnstile".to_owned()),
        ];
        let settings = load(None, &variables, &Vec::new()).unwrap();
        assert_eq!(settings.secret_key.unwrap().expose(), key);
        assert_eq!(settings.operator_key.unwrap().expose(), "an-operator-key-of-my-own");
        assert_eq!(settings.stores.url, "sqlite:x".parse().unwrap());
        let Access::Captcha(captcha) = settings.provisioning.access else { panic!() };
        assert_eq!(captcha.secret.expose(), "0x4AAA");
    }
    let empty = file("\n");
    assert!(refused("", &[("TENANTRY_SECRET_KEY_FILE", &path(&empty))]).contains("is empty"));
    assert!(
        refused("", &[("TENANTRY_SECRET_KEY_FILE", "/nowhere/key")]).contains("cannot read /nowhere/key")
    );
}

#[test]
fn unknown_names_are_refused_with_the_nearest_known_one_and_their_place() {
    for (text, variable, expected) in [
        (
            "[server]\nbnid = \"x\"\n",
            "",
            "server.bnid (FILE): there is no such setting; did you mean server.bind?",
        ),
        ("bind = \"x\"\n", "", "bind (FILE): there is no such setting; did you mean server.bind?"),
        ("[sever]\nbind = \"x\"\n", "", "did you mean server.bind?"),
        (
            "",
            "TENANTRY__SERVER__BNID",
            "server.bnid (TENANTRY__SERVER__BNID): there is no such setting; did you mean server.bind?",
        ),
        (
            "",
            "TENANTRY_DATABSE_URL",
            "TENANTRY_DATABSE_URL: this variable means no setting; did you mean TENANTRY_DATABASE_URL?",
        ),
        ("", "TENANTRY_SECRET_KEY_FLE", "did you mean TENANTRY_SECRET_KEY_FILE?"),
        ("", "TENANTRY_BIND_FILE", "did you mean TENANTRY_BIND?"),
        ("", "TENANTRY_ZZZZ", "`tenantry config show` lists"),
        ("zzzz = 1\n", "", "`tenantry config show` lists"),
    ] {
        let refusal =
            if variable.is_empty() { refused(text, &[]) } else { refused(text, &[(variable, "x")]) };
        assert!(refusal.contains(expected), "{expected}\n{refusal}");
    }
}

#[test]
fn variables_of_others_are_no_error() {
    let pairs = [
        ("TENANTRY_SERVICE_HOST", "10.0.0.1"),
        ("TENANTRY_SERVICE_PORT_HTTP", "5000"),
        ("TENANTRY_PORT", "tcp://10.0.0.1:5000"),
        ("TENANTRY_PORT_5000_TCP_ADDR", "10.0.0.1"),
        ("TENANTRY_API_PORT_5000_TCP", "tcp://10.0.0.1:5000"),
        ("TENANTRY_TEST_POSTGRES_URL", "postgres://localhost/x"),
        ("TENANTRY_REQUIRE_POSTGRES", "1"),
        ("TENANTRY_BIND", ""),
        ("PATH", "/bin"),
    ];
    assert!(load(None, &environment(&pairs), &Vec::new()).is_ok());
}

#[test]
fn two_variables_for_one_setting_are_refused() {
    let refusal = refused("", &[("TENANTRY_BIND", "127.0.0.1:1"), ("TENANTRY__SERVER__BIND", "127.0.0.1:2")]);
    assert!(refusal.contains("both TENANTRY_BIND and TENANTRY__SERVER__BIND set it"), "{refusal}");
}

#[test]
fn wrong_values_are_all_named_at_once_with_their_place() {
    let text = r#"
        [server]
        bind = "5000"
        workers = 300
        body_limit = "1GB"
        shutdown_timeout = "0s"
        trusted_proxies = "10.0.0.0/8, proxy.example.com"
        api_prefix = "a b"
        [database]
        url = "mysql://root:hunter2@db/x"
        [tenant_databases]
        prefix = "1x"
        [provisioning]
        access = "hmca"
        [provisioning.captcha]
        provider = "cloudflare"
        endpoint = "https://ann:hunter2@captcha.example/siteverify"
        secret = "hunter2 and more"
        hostname = "https://www.example.com"
        timeout = "31s"
        [provisioning.hmac]
        secrets = "hunter2"
        window = "1h"
        [provisioning.rate_limit]
        orders_per_minute = -1
        status_burst = 0
        [auth]
        password_min_length = 7
        access_token_ttl = "10"
        [secrets]
        secret_key = "hunter2"
        operator_key = "hunter2-is-too-short"
        [log]
        filter = "tenantry=loud"
        format = "xml"
    "#;
    let refusal = refused(text, &[("TENANTRY__PROVISIONING__LEASE", "1s")]);
    for expected in [
        "error: server.bind (FILE): '5000' is no address with a port, such as 127.0.0.1:5000 or [::]:5000",
        "error: server.workers (FILE): 300 is not within 0 and 256",
        "error: server.body_limit (FILE): '1GB' is no size with a unit",
        "error: server.shutdown_timeout (FILE): '0s' is not within 1s and 10m",
        "error: server.api_prefix (FILE): 'a b' is no path prefix",
        "error: database.url (FILE): there is no such kind of database",
        "error: tenant_databases.prefix (FILE): The database prefix must begin with a letter",
        "error: provisioning.access (FILE): 'hmca' is none of open, operator, captcha and hmac",
        "error: provisioning.hmac.secrets (FILE): a secret has to be at least 32 ASCII characters",
        "error: provisioning.hmac.window (FILE): '1h' is not within 10s and 15m",
        "error: provisioning.rate_limit.orders_per_minute (FILE): -1 is not within 0 and 60000",
        "error: provisioning.rate_limit.status_burst (FILE): 0 is not within 1 and 60000",
        "error: server.trusted_proxies (FILE): 'proxy.example.com' is neither an address such as 10.0.0.1 nor a network",
        "error: provisioning.captcha.provider (FILE): 'cloudflare' is none of turnstile, hcaptcha and recaptcha",
        "error: provisioning.captcha.endpoint (FILE): it must not contain a user or password",
        "error: provisioning.captcha.secret (FILE): there is white space in it",
        "error: provisioning.captcha.hostname (FILE): 'https://www.example.com' is no host name alone",
        "error: provisioning.captcha.timeout (FILE): '31s' is not within 100ms and 30s",
        "error: provisioning.lease (TENANTRY__PROVISIONING__LEASE): '1s' is not within 2s and 10m",
        "error: auth.password_min_length (FILE): 7 is not within 8 and 128",
        "error: auth.access_token_ttl (FILE): '10' is no duration with a unit",
        "error: secrets.secret_key (FILE): the master key",
        "error: secrets.operator_key (FILE): it has to be at least 24",
        "error: log.filter (FILE): 'tenantry=loud' is no filter",
        "error: log.format (FILE): 'xml' is none of auto, pretty and json",
    ] {
        assert!(refusal.contains(expected), "{expected}\n{refusal}");
    }
    assert_eq!(refusal.matches("error:").count(), 25, "{refusal}");
    assert!(!refusal.contains("hunter2"), "{refusal}");
}

#[test]
fn a_prefix_that_begins_like_paths_outside_of_it_is_refused() {
    let usual = tenantry_http_actix::HttpSettings::default();
    let document = tenantry_http_actix::openapi(&usual, tenantry_http_actix::Access::Open);
    let outside = document["paths"].as_object().unwrap().keys().filter(|path| !path.starts_with("/api/v1/"));
    let mut tried = 0;
    for first in outside.filter_map(|path| path.split('/').nth(1)).chain(["..", "."]) {
        let refusal = refused(&format!("[server]\napi_prefix = \"/{first}/v2\""), &[]);
        assert!(refusal.contains("server.api_prefix"), "{first}: {refusal}");
        tried += 1;
    }
    assert!(tried > 10);
}

#[test]
fn a_wrong_kind_is_refused_in_a_file_and_in_the_environment() {
    let refusal = refused("[server]\nworkers = \"4\"\nbind = 5000\n[log]\nformat = [1]\n", &[]);
    assert!(refusal.contains("server.workers (FILE): expected a whole number, found \"4\""), "{refusal}");
    assert!(refusal.contains("server.bind (FILE): expected text in quotes, found 5000"), "{refusal}");
    assert!(refusal.contains("log.format (FILE): no setting is of this kind (array)"), "{refusal}");
    let refusal = refused("", &[("TENANTRY__SERVER__WORKERS", "many")]);
    assert!(refusal.contains("expected a whole number, found 'many'"), "{refusal}");
}
