//! `audit verify`: whether event logs are what was written.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde_json::{Value, json};
use tenantry_ports::{SignedHead, hexadecimal};
use tenantry_usecases::audit::{self, Audit, Flaw, statements_in};
use tenantry_usecases::fleet::{self, FleetError};
use tenantry_usecases::{Log, Platform};

use super::print;
use crate::cli::{Audit as Command, VerifyLogs};
use crate::compose::store_failure;
use crate::failure::Failure;

/// Does what the command says.
pub(crate) fn audit(platform: &Platform, wish: &Command) -> Result<(), Failure> {
    match wish {
        Command::Verify(wish) => verify(platform, wish),
    }
}

/// Looks at every log, also when one of them is bad.
fn verify(platform: &Platform, wish: &VerifyLogs) -> Result<(), Failure> {
    let mut heads = Vec::new();
    for file in &wish.heads {
        heads.extend(statements(file)?);
    }
    let logs = logs(platform, wish)?;
    let mut bad = 0;
    for log in &logs {
        let outcome = audit::verify(platform, log, &heads);
        close(platform, log);
        let text = match &outcome {
            Ok(audit) if wish.json => format!("{}\n", as_json(log, audit)),
            Ok(audit) => line(log, audit),
            Err(error) if wish.json => {
                format!("{}\n", json!({ "tenant": slug(log), "ok": false, "error": error.to_string() }))
            }
            Err(error) => format!("{}: cannot be looked at: {error}\n", name(log)),
        };
        print(&text)?;
        bad += usize::from(!matches!(&outcome, Ok(audit) if audit.flaw.is_none()));
    }
    match bad {
        0 => Ok(()),
        _ => Err(Failure::new(
            format!("{bad} of {} event logs are not what was written", logs.len()),
            "keep the databases as they are: they are evidence; docs/events.md says what each finding means",
        )),
    }
}

/// The platform's own first, then tenants'.
fn logs(platform: &Platform, wish: &VerifyLogs) -> Result<Vec<Log>, Failure> {
    if wish.platform {
        return Ok(vec![Log::Platform]);
    }
    let Some(text) = &wish.tenant else {
        let all = fleet::every(platform).map_err(|error| store_failure(&error))?;
        let tenants = all.into_iter().filter(|member| member.pooled.is_none());
        return Ok([Log::Platform]
            .into_iter()
            .chain(tenants.map(|member| Log::Tenant(member.scope)))
            .collect());
    };
    let unknown =
        || Failure::new(format!("there is no tenant '{text}'"), "give the slug or the id of a tenant");
    let reference = text.parse().map_err(|_| unknown())?;
    let member = fleet::one(platform, &reference).map_err(|error| match error {
        FleetError::NoSuchTenant(_) => unknown(),
        FleetError::NotReady { .. } => Failure::new(error, "a log is there while the tenant has a database"),
        FleetError::Store(error) => store_failure(&error),
    })?;
    Ok(vec![Log::Tenant(member.scope)])
}

/// Nobody is going to use a tenant's database soon: its connection is better closed than kept.
fn close(platform: &Platform, log: &Log) {
    if let Log::Tenant(scope) = log
        && let Err(error) = platform.databases.close(scope)
    {
        tracing::debug!("The connections to {} are left to time: {error}", scope.slug());
    }
}

/// Whose log, if it is a tenant's.
fn slug(log: &Log) -> Option<&str> {
    match log {
        Log::Platform => None,
        Log::Tenant(scope) => Some(scope.slug().as_str()),
    }
}

/// What people call it.
fn name(log: &Log) -> &str {
    slug(log).unwrap_or("the platform")
}

/// Line by line, since a server's log may be long.
fn statements(path: &Path) -> Result<Vec<SignedHead>, Failure> {
    let unreadable = |error: std::io::Error| {
        Failure::new(format!("{} cannot be read: {error}", path.display()), "name a file of statements")
    };
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    let mut found = Vec::new();
    for line in file.split(b'\n') {
        let line = line.map_err(unreadable)?;
        found.extend(statements_in(&String::from_utf8_lossy(&line)).into_iter().map(|statement| statement.0));
    }
    match found.is_empty() {
        true => Err(Failure::new(
            format!("{} holds no statement", path.display()),
            "statements begin with `tenantry-head.v1.`: GET …/events/head answers with one, and servers log them",
        )),
        false => Ok(found),
    }
}

fn line(log: &Log, audit: &Audit) -> String {
    let name = name(log);
    match &audit.flaw {
        None => {
            let unknown = match audit.unknown {
                0 => String::new(),
                some => format!("; {some} more were signed with a secret key that the settings do not have"),
            };
            let Audit { first, entries, statements, .. } = audit;
            let begins = if *first > 1 { format!(", from {first} on,") } else { String::new() };
            format!(
                "{name}: {entries} entries{begins} are whole, as {statements} signed statements have it{unknown}\n"
            )
        }
        Some(Flaw { sequence, event, what }) => {
            let event = event.as_ref().map_or(String::new(), |id| format!(" ({id})"));
            format!("{name}: entry {sequence}{event}: {what}\n")
        }
    }
}

fn as_json(log: &Log, audit: &Audit) -> Value {
    let flaw = audit.flaw.as_ref().map(|flaw| {
        json!({
            "sequence": flaw.sequence,
            "eventId": flaw.event,
            "code": flaw.what.code(),
            "message": flaw.what.to_string(),
        })
    });
    json!({
        "tenant": slug(log),
        "tenantId": log.owner(),
        "ok": audit.flaw.is_none(),
        "firstSequence": audit.first,
        "entries": audit.entries,
        "statements": audit.statements,
        "unknownStatements": audit.unknown,
        "head": { "sequence": audit.head.sequence, "hash": hexadecimal(&audit.head.hash) },
        "flaw": flaw,
    })
}
