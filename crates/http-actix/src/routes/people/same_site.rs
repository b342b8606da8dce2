//! Requests that a cookie alone speaks for: no page of another site may send them.

use actix_web::http::header::{self, HeaderMap, HeaderName};

use crate::problem::{Code, Problem};

/// Where a browser says the request comes from.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A problem if a page of another site sent this. Browsers say so in `Sec-Fetch-Site`; older ones name the page's `Origin`,
/// which then has to have the host that is called. Programs that are no browsers say neither, and keep their own cookies.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let same = match (text(&SEC_FETCH_SITE), text(&header::ORIGIN)) {
        (Some(site), _) => matches!(site, "same-origin" | "same-site" | "none"),
        (None, Some(origin)) => is_host_of(origin, text(&header::HOST).unwrap_or_default()),
        (None, None) => true,
    };
    let refused = || Problem::new(Code::CrossSite, "The request comes from a page of another site");
    if same { Ok(()) } else { Err(refused()) }
}

/// Whether an origin, `https://example.com:8443`, has the host that a request names, `example.com:8443`. The scheme is not
/// compared: behind a proxy that ends TLS nobody here knows it.
fn is_host_of(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    let plain = |host: &str| host.strip_suffix(default_port).unwrap_or(host).to_ascii_lowercase();
    !authority.is_empty() && plain(authority) == plain(host)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn only_pages_of_other_sites_are_refused() {
        for (site, origin, passes) in [
            (None, None, true),
            (Some("same-origin"), None, true),
            (Some("same-site"), Some("https://other.example"), true),
            (Some("none"), None, true),
            (Some("cross-site"), None, false),
            (Some("cross-site"), Some("https://acme.example"), false),
            (Some("anything"), None, false),
            (None, Some("https://acme.example"), true),
            (None, Some("https://ACME.example"), true),
            (None, Some("https://acme.example:443"), true),
            (None, Some("https://acme.example:444"), false),
            (None, Some("https://evil.example"), false),
            (None, Some("https://acme.example.evil.example"), false),
            (None, Some("null"), false),
            (None, Some(""), false),
            (None, Some("file://"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("acme.example"));
            if let Some(site) = site {
                headers.insert(SEC_FETCH_SITE, HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            let refused = check(&headers).map_err(|problem| problem.code());
            assert_eq!(refused, if passes { Ok(()) } else { Err(Code::CrossSite) }, "{site:?} {origin:?}");
        }
    }
}
