//! `tenants create`.

use std::io::Read as _;

use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Lifecycle, Tenant, TenantName};
use tenantry_ports::Secret;
use tenantry_usecases::Platform;
use tenantry_usecases::tenants::{self, ConfirmError, CreateError, CreateTenant, InitTenant, NewAdmin};

use super::settle::settle;
use super::{as_json, tell, tenant};
use crate::cli::CreateTenant as Wish;
use crate::commands::{print, print_json};
use crate::compose::store_failure;
use crate::failure::Failure;

/// Makes a tenant. Of what is printed, a password that was made here is shown this once.
pub(super) fn create(platform: &Platform, wish: Wish) -> Result<(), Failure> {
    let (no_wait, json) = (wish.no_wait, wish.json);
    let (id, password) = match wish.admin_email.is_some() {
        true => with_admin(platform, wish)?,
        false => (without_admin(platform, wish)?, None),
    };
    let (tenant, outcome) = match no_wait {
        true => (tenant(platform, &id.to_string())?, Ok(())),
        // Whatever comes of the wait: a password that nobody was told is no use.
        false => match settle(platform, id) {
            Ok(tenant) => (tenant, Ok(())),
            Err(failure) => (tenant(platform, &id.to_string())?, Err(failure)),
        },
    };
    report(platform, &tenant, password.as_ref(), json)?;
    match &tenant.lifecycle {
        Lifecycle::Failed { .. } => {
            let next = format!(
                "see to the cause, then `tenantry tenants retry {id}`; the log of this command says more"
            );
            Err(Failure::new("the tenant could not be provisioned", next))
        }
        _ => outcome,
    }
}

fn report(
    platform: &Platform,
    tenant: &Tenant,
    password: Option<&Secret>,
    json: bool,
) -> Result<(), Failure> {
    if json {
        let mut view = as_json(platform, tenant)?;
        if let Some(password) = password {
            view["adminPassword"] = password.expose().into();
        }
        return print_json(&view);
    }
    tell(platform, tenant, false)?;
    let Some(password) = password else { return Ok(()) };
    print(&format!("the admin's password: {}\n", password.expose()))?;
    eprintln!("The password is shown this once; only its hash is kept.");
    Ok(())
}

fn without_admin(platform: &Platform, wish: Wish) -> Result<TenantId, Failure> {
    let name = name(&wish)?;
    let command = InitTenant {
        name,
        slug: wish.slug,
        plan: wish.plan,
        contact_email: wish.contact_email,
        cluster: wish.cluster,
    };
    let announced = tenants::init(platform, command).map_err(|error| refused(error.into()))?;
    match tenants::confirm(platform, announced.confirm_token.expose()) {
        Ok(confirmed) => Ok(confirmed.tenant),
        Err(ConfirmError::Store(error)) => Err(store_failure(&error)),
        Err(error) => Err(Failure::new(error, "run it again; if the slug is taken, wait 15 minutes for it")),
    }
}

fn with_admin(platform: &Platform, wish: Wish) -> Result<(TenantId, Option<Secret>), Failure> {
    let name = name(&wish)?;
    let (password, is_new) = match wish.password_stdin {
        true => (read_password()?, false),
        false => (new_password(platform), true),
    };
    let Some(email) = wish.admin_email else {
        return Err(Failure::new("an admin needs an address", "give it with --admin-email"));
    };
    let admin = NewAdmin {
        email,
        username: wish.admin_username,
        password: password.clone(),
        first_name: None,
        last_name: None,
    };
    let command =
        CreateTenant { name, slug: wish.slug, plan: wish.plan, config: None, admin, cluster: wish.cluster };
    let created = tenants::create(platform, command).map_err(refused)?;
    Ok((created.tenant.id, is_new.then_some(password)))
}

fn name(wish: &Wish) -> Result<TenantName, Failure> {
    match &wish.name {
        Some(name) => Ok(name.clone()),
        None => TenantName::new(wish.slug.as_str())
            .map_err(|error| Failure::new(error, "give the tenant's name with --name")),
    }
}

fn refused(error: CreateError) -> Failure {
    match error {
        CreateError::SlugTaken(_) => {
            Failure::new(error, "choose another slug, or see who has it with `tenantry tenants show SLUG`")
        }
        CreateError::UnknownCluster(_) => {
            Failure::new(error, "name one of tenant_databases.clusters, or leave --cluster out")
        }
        CreateError::Invalid(findings) => {
            let what = findings.into_iter().map(|finding| finding.message).collect();
            Failure::several(what, "choose another password, or leave --password-stdin out to have one made")
        }
        CreateError::Store(error) => store_failure(&error),
    }
}

/// The first line of standard input.
fn read_password() -> Result<Secret, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(|error| {
        Failure::new(format!("the password cannot be read: {error}"), "write it to standard input, as UTF-8")
    })?;
    match text.lines().next().unwrap_or_default() {
        "" => Err(Failure::new("no password came over standard input", "write one there, with a line end")),
        password => Ok(Secret::new(password)),
    }
}

/// 120 random bits in groups that can be read out, of letters and digits that nobody confuses.
fn new_password(platform: &Platform) -> Secret {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; 24];
    platform.entropy.fill(&mut bytes);
    let letters = bytes.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    Secret::new(letters.chunks(6).map(String::from_iter).collect::<Vec<_>>().join("-"))
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::TestPlatform;

    use super::*;

    #[test]
    fn a_new_password_is_long_readable_and_never_the_same() {
        let test = TestPlatform::new();
        let (one, other) = (new_password(&test.platform), new_password(&test.platform));
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), 27);
        assert!(!one.expose().contains(['0', 'o', '1', 'l', 'O', 'I']), "{}", one.expose());
    }

    #[test]
    fn no_letter_is_likelier_than_another() {
        // `byte % 32` is fair since 32 divides 256; and every letter is there once.
        let test = TestPlatform::new();
        let all: String = (0..400).map(|_| new_password(&test.platform).expose().replace('-', "")).collect();
        assert_eq!(all.chars().collect::<std::collections::BTreeSet<_>>().len(), 32);
    }
}
