//! What a server says when it is ready.

use std::net::SocketAddr;

use tenantry_store_diesel::DatabaseUrl;

use crate::settings::{Access, Settings};

/// The operator's key, as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OperatorKey {
    /// Made by this start: this is the one time to show it.
    New(String),
    /// From the settings.
    Given,
    /// Made by an earlier start.
    Known,
}

/// The lines for a server that listens on `address`, or, without one, for a worker.
pub(super) fn banner(settings: &Settings, address: Option<SocketAddr>, key: &OperatorKey) -> String {
    let data = std::path::absolute(&settings.data_dir).unwrap_or_else(|_| settings.data_dir.clone());
    let version = env!("CARGO_PKG_VERSION");
    let url = address.map(url);
    let mut lines = match &url {
        Some(url) => vec![
            format!("tenantry {version} is ready at {url}\n"),
            format!("  API documentation  {url}/swagger"),
        ],
        None => vec![format!("tenantry {version} is ready: a worker, without an API\n")],
    };
    match &settings.stores.url {
        DatabaseUrl::Sqlite(_) => lines.push(format!("  data               {} (SQLite)", data.display())),
        server => lines.push(format!("  data               {server:?}")),
    }
    match key {
        OperatorKey::New(key) => {
            lines
                .push(format!("  operator's key     {key}\n                     (shown this once: keep it)"));
        }
        OperatorKey::Given => lines.push("  operator's key     the one from the settings".to_owned()),
        OperatorKey::Known => lines.push(
            "  operator's key     made on the first start; a new one: tenantry keys create --operator"
                .to_owned(),
        ),
    }
    if let (OperatorKey::New(key), Some(url)) = (key, &url) {
        lines.push(
            "\nA tenant with a database of its own, an API key, a config and an account; copy and paste:\n"
                .to_owned(),
        );
        lines.extend(first_steps(settings, url, key));
    }
    lines.push("\nCtrl-C stops the server.\n".to_owned());
    lines.join("\n")
}

/// Commands that work as they are printed, one per line.
fn first_steps(settings: &Settings, url: &str, key: &str) -> Vec<String> {
    let api = format!("{url}/{}", settings.server.api_prefix);
    let json = "-H 'Content-Type: application/json'";
    let authorize = match settings.provisioning.access {
        Access::Open => "",
        // The operator needs neither captcha nor signature.
        Access::Operator | Access::Captcha(_) | Access::Hmac { .. } => {
            " -H \"Authorization: Bearer $OPERATOR_KEY\""
        }
    };
    [
        format!("OPERATOR_KEY='{key}'"),
        format!(
            "curl -sS {api}/tenants{authorize} {json} -d '{{\"name\":\"Hello Ltd\",\"subdomain\":\"hello\",\
             \"admin\":{{\"email\":\"admin@hello.example\",\"password\":\"a long pass phrase\"}}}}'"
        ),
        format!(
            "KEY=$(curl -sS {api}/tenants/hello/api-keys -H \"Authorization: Bearer $OPERATOR_KEY\" {json} -d '{{\"name\":\
             \"first steps\",\"scopes\":[\"configs:read\",\"configs:write\",\"accounts:read\",\"accounts:write\"]}}' | \
             grep -o 'tnt_live_[0-9A-Za-z]*_[0-9A-Za-z]*')"
        ),
        format!(
            "curl -sS {api}/tenants/hello/configs -H \"Authorization: Bearer $KEY\" {json} -d '{{\"id\":\"my-50k-v1\",\
             \"displayName\":\"My 50K\",\"parentConfigId\":\"demo-25k-eval-v1\",\"baseCapital\":50000}}'"
        ),
        format!(
            "curl -sS {api}/tenants/hello/accounts -H \"Authorization: Bearer $KEY\" {json} -d '{{\"userId\":\"user-1\",\
             \"configId\":\"my-50k-v1\"}}'"
        ),
    ]
    .map(|line| format!("  {line}"))
    .into()
}

/// The address as something on this machine reaches it.
fn url(address: SocketAddr) -> String {
    let port = address.port();
    match address {
        address if !address.ip().is_unspecified() => format!("http://{address}"),
        SocketAddr::V4(_) => format!("http://127.0.0.1:{port}"),
        SocketAddr::V6(_) => format!("http://[::1]:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Layers;

    fn lines(access: Access, key: &OperatorKey) -> String {
        let mut settings = Settings::read(&Layers::defaults().unwrap()).unwrap();
        settings.provisioning.access = access;
        banner(&settings, "127.0.0.1:5000".parse().ok(), key)
    }

    #[test]
    fn a_key_is_shown_when_it_is_new_and_never_again() {
        let new = lines(Access::Open, &OperatorKey::New("tnt_op_x".to_owned()));
        assert!(new.contains("tnt_op_x") && new.contains("OPERATOR_KEY='tnt_op_x'"), "{new}");
        for key in [OperatorKey::Given, OperatorKey::Known] {
            assert!(!lines(Access::Open, &key).contains("tnt_op_"), "{key:?}");
        }
    }

    #[test]
    fn the_first_steps_authorise_exactly_where_they_have_to() {
        let key = OperatorKey::New("k".to_owned());
        assert_eq!(lines(Access::Open, &key).matches("Bearer $OPERATOR_KEY").count(), 1);
        assert_eq!(lines(Access::Operator, &key).matches("Bearer $OPERATOR_KEY").count(), 2);
    }

    #[test]
    fn a_worker_has_no_url() {
        let settings = Settings::read(&Layers::defaults().unwrap()).unwrap();
        let worker = banner(&settings, None, &OperatorKey::New("tnt_op_x".to_owned()));
        assert!(
            worker.contains("tnt_op_x") && !worker.contains("http") && !worker.contains("curl"),
            "{worker}"
        );
    }

    #[test]
    fn the_url_is_one_that_can_be_opened() {
        for (address, expected) in [
            ("127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("0.0.0.0:80", "http://127.0.0.1:80"),
            ("[::]:80", "http://[::1]:80"),
            ("10.1.2.3:80", "http://10.1.2.3:80"),
        ] {
            assert_eq!(url(address.parse().unwrap()), expected);
        }
    }
}
