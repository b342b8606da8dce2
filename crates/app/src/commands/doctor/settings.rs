//! What is unwise about settings that are valid.

use tenantry_security::MasterKey;
use tenantry_usecases::doctor::Symptom;

use super::{Finding, files};
use crate::compose::public_url as public_url_of;
use crate::endpoints::lowered_guard;
use crate::settings::{Access, Settings, insecure};

/// Fewer characters than this are too few for a key that may do everything.
const LONG: usize = 32;

/// What somebody should look at again.
pub(super) fn findings(settings: &Settings) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        [open_access(settings), operator_key(settings), public_url(settings), webhooks(settings)]
            .into_iter()
            .flatten()
            .collect();
    let key = settings.secret_key.as_ref().and_then(|key| MasterKey::from_base64(key.expose()).ok());
    findings.extend(key.and_then(|key| files::made_up(&key, "secrets.secret_key".to_owned())));
    if findings.is_empty() {
        findings.push(Symptom::ok("settings", "settings", "a server would start with them").into());
    }
    findings
}

fn open_access(settings: &Settings) -> Option<Finding> {
    let place = "provisioning.access";
    if let Some(problem) = insecure(settings) {
        let next = "set TENANTRY_PROVISIONING_ACCESS to operator, hmac or captcha; a server does not start like this";
        return Some(Symptom::error("open_access", place, problem.to_string(), next).into());
    }
    let open = matches!(settings.provisioning.access, Access::Open);
    (open && !settings.server.bind.ip().is_loopback()).then(|| {
        let what = format!(
            "anybody who reaches {} can make tenants, as provisioning.allow_open_on_public allows",
            settings.server.bind
        );
        let next =
            "set TENANTRY_PROVISIONING_ACCESS to operator, hmac or captcha, unless that is what you want";
        Symptom::warning("open_access", place, what, next).into()
    })
}

/// Machines' tokens name the URL that the API is reached under, which is rarely the address it listens on.
fn public_url(settings: &Settings) -> Option<Finding> {
    let server = &settings.server;
    (server.public_url.is_none() && !server.bind.ip().is_loopback()).then(|| {
        let what = format!(
            "machines' tokens are issued by {}, which nobody else may know it as",
            public_url_of(server)
        );
        let next =
            "set TENANTRY_PUBLIC_URL to the URL that the API is reached under, the same one for all replicas";
        Symptom::warning("public_url", "server.public_url", what, next).into()
    })
}

/// What tenants name is called from here, where more may be in reach than anybody thinks of.
fn webhooks(settings: &Settings) -> Option<Finding> {
    let (setting, what) = lowered_guard(settings)?;
    let next =
        "name the few addresses that tenants need in webhooks.allow_networks, or none; see docs/webhooks.md";
    Some(Symptom::warning("open_webhooks", setting, what, next).into())
}

fn operator_key(settings: &Settings) -> Option<Finding> {
    let key = settings.operator_key.as_ref()?.expose();
    let different = key.chars().collect::<std::collections::BTreeSet<_>>().len();
    (key.len() < LONG || different < LONG / 3).then(|| {
        let what = format!("the operator's key is weak: {} characters, {different} different ones", key.len());
        let next = "take one that nobody can guess: `openssl rand -hex 24`, or none, and `tenantry keys create --operator`";
        Symptom::warning("weak_operator_key", "secrets.operator_key", what, next).into()
    })
}
