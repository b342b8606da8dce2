//! The mails: their facts as they are stored, and their words.

use serde::{Deserialize, Serialize};
use tenantry_domain::id::TenantId;
use tenantry_domain::people::Email;
use tenantry_domain::tenant::{Lifecycle, Slug, Tenant, TenantName};
use tenantry_ports::{Mail, Notice};

use super::Happening;

/// What a mail to a tenant's contact address is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Letter {
    to: Email,
    name: TenantName,
    slug: Slug,
    outcome: Outcome,
}

/// How the provisioning ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Outcome {
    Active,
    Failed {
        /// A sentence for strangers.
        reason: String,
    },
}

impl Letter {
    /// The letter this calls for, if it does and there is somebody to write to.
    pub(super) fn about(tenant: &Tenant, what: Happening<'_>) -> Option<Self> {
        let outcome = match (what, &tenant.lifecycle) {
            (Happening::Activated, _) => Outcome::Active,
            (Happening::Failed, Lifecycle::Failed { reason, .. }) => {
                Outcome::Failed { reason: reason.message.clone() }
            }
            _ => return None,
        };
        let to = tenant.contact_email.clone()?;
        Some(Self { to, name: tenant.name.clone(), slug: tenant.slug.clone(), outcome })
    }

    /// The mail, in words. `link` is where its reader goes from there.
    pub(super) fn mail(self, notice: &Notice, link: Option<&str>) -> Mail {
        let Self { to, name, slug, outcome } = self;
        let (subject, mut paragraphs) = match outcome {
            Outcome::Active => {
                (format!("{name} is ready"), vec![format!("{name} ({slug}) is set up and ready to be used.")])
            }
            Outcome::Failed { reason } => (
                format!("{name} could not be set up"),
                vec![
                    format!("{name} ({slug}) could not be set up. {}", sentence(&reason)),
                    contact(notice.tenant),
                ],
            ),
        };
        paragraphs.insert(0, "Hello,".to_owned());
        let link = link.map(|link| link.replace("{slug}", slug.as_str()));
        let why = format!("You receive this because you are the contact for {name}.");
        Mail {
            id: notice.id,
            at: notice.created_at,
            to,
            text: text(&paragraphs, link.as_deref(), &why),
            html: html(&subject, &paragraphs, link.as_deref(), &why),
            subject,
        }
    }
}

fn contact(tenant: TenantId) -> String {
    format!("Please ask whoever runs this service, and mention this number: {}", tenant.uuid())
}

/// With its full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

fn text(paragraphs: &[String], link: Option<&str>, why: &str) -> String {
    let parts = paragraphs.iter().map(String::as_str).chain(link);
    format!("{}\n\n-- \n{why}\n", parts.collect::<Vec<_>>().join("\n\n"))
}

fn html(subject: &str, paragraphs: &[String], link: Option<&str>, why: &str) -> String {
    let mut body: String = paragraphs.iter().map(|text| format!("<p>{}</p>\n", escaped(text))).collect();
    if let Some(link) = link.map(escaped) {
        body += &format!("<p><a href=\"{link}\">{link}</a></p>\n");
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{}</title></head>\n<body>\n{body}<p><small>{}</small></p>\n</body>\n</html>\n",
        escaped(subject),
        escaped(why)
    )
}

fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
        out
    })
}
