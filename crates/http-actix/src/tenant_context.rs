//! What is said where a request does not tell for which tenant it is meant, below `{prefix}/{tenant}`.
//!
//! Everybody is told it of the URL alone: that no tenant is in it, or what cannot be one. Whether there is a tenant that could
//! be one is told to nobody but the operator; to everybody else a tenant that there is not is a foreign one.

use std::collections::BTreeSet;

use actix_web::HttpRequest;
use tenantry_usecases::tenants::TenantRef;

use crate::endpoint::Endpoint;
use crate::problem::{Code, Problem};

/// What the path of an endpoint begins with where the tenant comes first.
const TENANT: &str = "/{tenantId}/";

/// Marks the routes whose path begins with a tenant.
pub(crate) struct BelowTenant;

impl Endpoint {
    /// Whether its path begins with a tenant.
    pub(crate) fn is_below_tenant(&self) -> bool {
        self.path.starts_with(TENANT)
    }
}

/// Whether the route of this request begins with a tenant.
pub(crate) fn is_below_tenant(request: &HttpRequest) -> bool {
    request.app_data::<BelowTenant>().is_some()
}

/// A problem, if what stands for the tenant in the path cannot be one.
pub(crate) fn check(request: &HttpRequest) -> Result<(), Problem> {
    let named = request.match_info().get("tenantId").unwrap_or_default();
    if is_below_tenant(request) && named.parse::<TenantRef>().is_err() {
        let detail = format!("'{named}' cannot be a tenant: its slug or id has to stand there in the URL");
        return Err(Problem::new(Code::MissingTenantContext, detail));
    }
    Ok(())
}

/// For those who may know it: there is no such tenant.
pub(crate) fn unknown() -> Problem {
    Problem::new(Code::MissingTenantContext, "No tenant has the id or slug that stands in the URL")
}

/// What comes after the tenant, by its first part: `auth`, `users` and so on.
pub(crate) struct Families {
    prefix: String,
    names: BTreeSet<String>,
}

impl Families {
    /// Those of these endpoints.
    pub(crate) fn of(endpoints: &[Endpoint], prefix: &str) -> Self {
        let names =
            endpoints.iter().filter_map(|endpoint| endpoint.path.strip_prefix(TENANT)?.split('/').next());
        Self { prefix: prefix.to_owned(), names: names.map(str::to_owned).collect() }
    }

    /// What to say where no route leads: perhaps only the tenant is missing.
    pub(crate) fn nothing_at(&self, path: &str) -> Problem {
        let below = path.strip_prefix(&self.prefix).filter(|rest| rest.starts_with('/'));
        let rest = below.unwrap_or_default().trim_start_matches('/');
        let is_known = rest.split('/').next().is_some_and(|first| self.names.contains(first));
        if !is_known {
            return Problem::new(Code::NotFound, "There is nothing at this URL");
        }
        let detail =
            format!("The tenant is missing in the URL: it has to be {}/<tenant>/{rest}", self.prefix);
        Problem::new(Code::MissingTenantContext, detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes;

    #[test]
    fn only_where_a_tenant_would_help_it_is_missing() {
        for prefix in ["/api/v1", "/x", ""] {
            let families = Families::of(&routes::endpoints(), prefix);
            for (path, code) in [
                ("/config/basis", Code::MissingTenantContext),
                ("//config/basis", Code::MissingTenantContext),
                ("/auth/login", Code::MissingTenantContext),
                ("/users", Code::MissingTenantContext),
                ("/acme/config/nothing", Code::NotFound),
                ("/configs", Code::NotFound),
                ("/tenants/acme/nothing", Code::NotFound),
                ("/", Code::NotFound),
                ("", Code::NotFound),
            ] {
                let problem = families.nothing_at(&format!("{prefix}{path}"));
                assert_eq!(problem.code(), code, "{prefix}{path}");
            }
        }
        let families = Families::of(&routes::endpoints(), "/api/v1");
        for elsewhere in ["/config/basis", "/api/v1config/basis", "/api/v2/config/basis"] {
            assert_eq!(families.nothing_at(elsewhere).code(), Code::NotFound, "{elsewhere}");
        }
        let problem = families.nothing_at("/api/v1//config/basis");
        assert!(problem.to_string().contains("/api/v1/<tenant>/config/basis"), "{problem}");
    }
}
