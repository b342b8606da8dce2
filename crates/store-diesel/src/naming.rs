//! What our things are called on a server or in a directory.
//!
//! No tenant's database has a `~` in its name, so that what is called otherwise is never taken for one.

use tenantry_domain::tenant::DatabasePrefix;
use tenantry_ports::TenantScope;

use crate::StoreSettings;

/// What every template's name begins with.
pub(crate) const TEMPLATE: &str = "tenantry~template_";

/// The names of one installation.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    prefix: DatabasePrefix,
}

impl Naming {
    pub(crate) fn new(settings: &StoreSettings) -> Self {
        Self { prefix: settings.prefix.clone() }
    }

    /// What the names of this installation's databases begin with.
    pub(crate) fn prefix(&self) -> &str {
        self.prefix.as_str()
    }

    /// What a database is called until it is complete.
    pub(crate) fn unfinished(&self, scope: &TenantScope) -> String {
        format!("{}~new_{}", self.prefix_of(scope), scope.tenant().uuid().simple())
    }

    /// What a pooled database is called on its way to becoming the tenant's, where that takes more than one step.
    pub(crate) fn adopted(&self, scope: &TenantScope) -> String {
        format!("{}~adopt_{}", self.prefix_of(scope), scope.tenant().uuid().simple())
    }

    /// The role that alone may enter the database.
    pub(crate) fn login(&self, scope: &TenantScope) -> String {
        format!("{}~{}", self.prefix_of(scope), scope.login().simple())
    }

    /// The role that has the rights in tenants' databases, which every login is a member of.
    pub(crate) fn group(&self) -> String {
        format!("{}~tenants", self.prefix())
    }

    /// The prefix that the scope's database was named with, which may be the settings' of another time: existing
    /// databases keep their names, and what belongs to them has to be found again.
    fn prefix_of<'a>(&'a self, scope: &'a TenantScope) -> &'a str {
        let name = scope.database().as_str();
        let prefix = match name.split_once('~') {
            Some((prefix, _)) => Some(prefix),
            None => name.strip_suffix(&scope.slug().as_str().replace('-', "_")),
        };
        prefix.filter(|prefix| prefix.len() <= DatabasePrefix::MAX_LENGTH).unwrap_or(self.prefix())
    }
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::sample;

    use super::*;

    fn naming() -> Naming {
        Naming { prefix: DatabasePrefix::new("a".repeat(DatabasePrefix::MAX_LENGTH)).unwrap() }
    }

    #[test]
    fn everything_that_belongs_to_a_database_has_its_prefix_whatever_the_settings_say_today() {
        let old = DatabasePrefix::new("old_").unwrap();
        let tenant = sample::scope_of(&sample::database_of(sample::tenant("north-south"), &old));
        let pooled = TenantScope::pooled(&sample::pooled_database(&old));
        for scope in [tenant, pooled] {
            let id = scope.tenant().uuid().simple();
            assert_eq!(naming().unfinished(&scope), format!("old_~new_{id}"));
            assert_eq!(naming().adopted(&scope), format!("old_~adopt_{id}"));
            assert_eq!(naming().login(&scope), format!("old_~{}", scope.login().simple()));
        }
    }

    #[test]
    fn no_name_is_too_long_for_a_server() {
        let scope = TenantScope::pooled(&sample::pooled_database(&naming().prefix));
        let names =
            [naming().unfinished(&scope), naming().adopted(&scope), naming().login(&scope), naming().group()];
        for name in names {
            assert!(name.len() <= 63 && name.starts_with(naming().prefix()), "{name}");
        }
    }
}
