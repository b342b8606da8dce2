//! Which settings there are: exactly those of `config/default.toml`, and the URLs of more database servers.

use std::collections::BTreeMap;

use super::Problem;
use super::layers::Origin;
use super::value::Value;

/// The documented defaults, compiled in.
pub(crate) const DEFAULTS: &str = include_str!("../../../../config/default.toml");

/// Settings whose value is not for other eyes, and which may be read from a file that an environment variable names; as are
/// those of [`cluster_of`].
pub(crate) const SECRETS: [&str; 8] = [
    "secrets.secret_key",
    "secrets.previous_secret_keys",
    "secrets.operator_key",
    "provisioning.captcha.secret",
    "provisioning.hmac.secrets",
    "notifications.mail.password",
    "notifications.webhook.secrets",
    "database.url",
];

/// The server that a setting is about, of which there may be any number: `tenant_databases.clusters.<server>.url`.
pub(crate) fn cluster_of(name: &str) -> Option<&str> {
    name.strip_prefix("tenant_databases.clusters.")?.strip_suffix(".url")
}

/// Whether a setting's value is the URL of a database, which may hold a password.
pub(crate) fn is_database_url(name: &str) -> bool {
    name == "database.url" || cluster_of(name).is_some()
}

/// Environment variables that mean a setting without following `TENANTRY__SECTION__KEY`.
pub(crate) const SHORT_FORMS: [(&str, &str); 15] = [
    ("TENANTRY_BIND", "server.bind"),
    ("TENANTRY_PUBLIC_URL", "server.public_url"),
    ("TENANTRY_DATABASE_URL", "database.url"),
    ("TENANTRY_DATA_DIR", "data_dir"),
    ("TENANTRY_OPERATOR_KEY", "secrets.operator_key"),
    ("TENANTRY_SECRET_KEY", "secrets.secret_key"),
    ("TENANTRY_PREVIOUS_SECRET_KEYS", "secrets.previous_secret_keys"),
    ("TENANTRY_LOG", "log.filter"),
    ("TENANTRY_LOG_FORMAT", "log.format"),
    ("TENANTRY_PROVISIONING_ACCESS", "provisioning.access"),
    ("TENANTRY_CAPTCHA_SECRET", "provisioning.captcha.secret"),
    ("TENANTRY_HMAC_SECRETS", "provisioning.hmac.secrets"),
    ("TENANTRY_SMTP_PASSWORD", "notifications.mail.password"),
    ("TENANTRY_WEBHOOK_SECRETS", "notifications.webhook.secrets"),
    ("TENANTRY_WEBHOOKS_ALLOW_PRIVATE", "webhooks.allow_private"),
];

/// The settings of a TOML document under their full names (`section.key`), without those that a setting cannot be.
///
/// A fault of the document itself is answered with its line.
pub(crate) fn flatten(
    text: &str,
    origin: &Origin,
) -> Result<(BTreeMap<String, Value>, Vec<Problem>), Problem> {
    let document: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        Problem::new(format!("{origin}, line {line}"), format!("this is not TOML: {message}"))
    })?;
    let (mut settings, mut problems) = (BTreeMap::new(), Vec::new());
    collect(&document, "", origin, &mut settings, &mut problems);
    Ok((settings, problems))
}

fn collect(
    table: &toml::Table,
    prefix: &str,
    origin: &Origin,
    settings: &mut BTreeMap<String, Value>,
    problems: &mut Vec<Problem>,
) {
    for (name, value) in table {
        let name = format!("{prefix}{name}");
        if let toml::Value::Table(section) = value {
            collect(section, &format!("{name}."), origin, settings, problems);
        } else if let Some(value) = Value::from_toml(value) {
            settings.insert(name, value);
        } else {
            let what = format!("no setting is of this kind ({})", value.type_str());
            problems.push(Problem::new(format!("{name} ({origin})"), what));
        }
    }
}

/// The candidate that looks most like `name`, if any does.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |candidate: &str| {
        // The right key in the wrong section is a better guess than the wrong key in the right one.
        let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
        strsim::jaro_winkler(name, candidate).max(strsim::jaro_winkler(&last(name), &last(candidate)) - 0.02)
    };
    candidates
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaults() -> BTreeMap<String, Value> {
        let (settings, problems) = flatten(DEFAULTS, &Origin::Default).unwrap();
        assert_eq!(problems, []);
        settings
    }

    #[test]
    fn every_setting_is_commented() {
        let mut commented = false;
        for line in DEFAULTS.lines() {
            if line.contains(" = ") && !line.starts_with('#') {
                assert!(commented, "no comment above: {line}");
            }
            commented = line.starts_with('#');
        }
    }

    #[test]
    fn short_forms_and_secrets_mean_settings_that_exist_and_are_documented() {
        let known = defaults();
        for (variable, name) in SHORT_FORMS {
            assert!(known.contains_key(name), "{variable} means {name}");
            assert!(DEFAULTS.contains(variable), "{variable} is not documented");
        }
        for name in SECRETS {
            let (variable, _) = SHORT_FORMS.iter().find(|(_, meant)| *meant == name).unwrap();
            assert!(DEFAULTS.contains(&format!("{variable}_FILE")), "{variable}_FILE is not documented");
        }
    }

    #[test]
    fn the_nearest_name_is_found_and_nonsense_has_none() {
        let known = defaults();
        let names = || known.keys().map(String::as_str);
        for (typed, meant) in [
            ("server.bnid", Some("server.bind")),
            ("datadir", Some("data_dir")),
            ("database.prefix", Some("tenant_databases.prefix")),
            ("auth.password_minimum_length", Some("auth.password_min_length")),
            ("qqq", None),
        ] {
            assert_eq!(nearest(typed, names()), meant, "{typed}");
        }
    }

    #[test]
    fn what_is_not_toml_is_named_with_its_line() {
        let problem = flatten("data_dir = \"x\"\n[server\nbind = 1\n", &Origin::Default).unwrap_err();
        assert!(problem.to_string().contains("line 2"), "{problem}");
        assert!(!problem.to_string().contains('\n'), "{problem}");
    }
}
