//! How the progress of `migrate` is told: a bar and sentences to people, a JSON object a line to programs.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};
use tenantry_usecases::fleet::{Done, Member, Outcome, Summary};

use crate::commands::print;

/// Tells what happens while it happens, from any thread.
pub(super) struct Report {
    schema: String,
    /// None for programs.
    bar: Option<ProgressBar>,
}

/// A database that is not what it should be, as far as somebody looked.
pub(super) struct Drift {
    pub(super) member: Member,
    /// How many migrations it lacks, or why that cannot be found out; none if nobody looked.
    pub(super) lacking: Option<Result<usize, String>>,
}

impl Report {
    /// For people, or for programs, of what is brought to this schema.
    pub(super) fn new(for_people: bool, schema: &str) -> Self {
        Self { schema: schema.to_owned(), bar: for_people.then(ProgressBar::hidden) }
    }

    /// So many databases are worked on from now on.
    pub(super) fn begin(&self, databases: usize, doing: &'static str) {
        let Some(bar) = self.bar.as_ref().filter(|_| databases > 0) else { return };
        let template = "{msg} {wide_bar} {pos}/{len} {eta}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style);
        bar.set_length(databases as u64);
        bar.set_position(0);
        bar.set_message(doing);
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.enable_steady_tick(Duration::from_millis(200));
    }

    /// What came of the control database, or would.
    pub(super) fn control(&self, dry_run: bool, migrations: usize) {
        let (outcome, ending) = match (migrations, dry_run) {
            (0, _) => ("current", ""),
            (_, true) => ("behind", " to do"),
            (_, false) => ("migrated", " done"),
        };
        let sentence = match migrations {
            0 => "up to date".to_owned(),
            1 => format!("1 migration{ending}"),
            many => format!("{many} migrations{ending}"),
        };
        let line = json!({ "database": "control", "outcome": outcome, "migrations": migrations });
        self.say(&format!("control database: {sentence}"), &line);
    }

    /// A database was looked into.
    pub(super) fn looked(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// What came of a database. People are told of what went wrong alone.
    pub(super) fn done(&self, done: &Done<'_>) {
        let Some(bar) = &self.bar else {
            let mut line = of(done.member);
            line["milliseconds"] = done.took.num_milliseconds().into();
            match done.outcome {
                Outcome::Migrated(migrations) => {
                    line["outcome"] = "migrated".into();
                    line["migrations"] = (*migrations).into();
                }
                Outcome::Gone => line["outcome"] = "gone".into(),
                Outcome::Failed(error) => {
                    line["outcome"] = "failed".into();
                    line["error"] = one_line(error).into();
                }
            }
            return tell(&line.to_string());
        };
        if let Outcome::Failed(error) = done.outcome {
            let name = done.member.name();
            bar.suspend(|| eprintln!("{name}: failed: {}", one_line(error)));
        }
        bar.inc(1);
    }

    /// A database that is not what it should be.
    pub(super) fn drift(&self, drift: &Drift) {
        let has = drift.member.schema.as_deref();
        let (outcome, sentence) = match &drift.lacking {
            None => ("behind", String::new()),
            Some(Ok(0)) => ("unnoted", ", lacks nothing, and only has to be noted as up to date".to_owned()),
            Some(Ok(1)) => ("behind", ", lacks 1 migration".to_owned()),
            Some(Ok(many)) => ("behind", format!(", lacks {many} migrations")),
            Some(Err(error)) => ("unreadable", format!(", cannot be looked into: {}", one_line(error))),
        };
        let mut line = of(&drift.member);
        line["outcome"] = outcome.into();
        match &drift.lacking {
            Some(Ok(lacking)) => line["lacking"] = (*lacking).into(),
            Some(Err(error)) => line["error"] = one_line(error).into(),
            None => {}
        }
        let noted = has.map_or("none noted".to_owned(), |schema| format!("schema {schema}"));
        self.say(&format!("{}: {noted}{sentence}", drift.member.name()), &line);
    }

    /// What came of them all.
    pub(super) fn summary(&self, summary: &Summary) {
        self.finish();
        let Summary { migrated, gone, failed, held_back } = *summary;
        let line = json!({ "summary": {
            "schema": self.schema, "migrated": migrated, "gone": gone, "failed": failed, "heldBack": held_back,
        }});
        let mut parts = vec![format!("{migrated} brought to schema {}", self.schema)];
        for (number, what) in [(failed, "failed"), (gone, "gone meanwhile"), (held_back, "not begun")] {
            if number > 0 {
                parts.push(format!("{number} {what}"));
            }
        }
        let sentence = match migrated + gone + failed + held_back {
            0 => format!("all have schema {}", self.schema),
            _ => parts.join(", "),
        };
        self.say(&format!("tenants' databases: {sentence}"), &line);
    }

    /// What a dry run found.
    pub(super) fn found(&self, behind: usize) {
        self.finish();
        let line = json!({ "summary": { "schema": self.schema, "behind": behind } });
        let sentence = match behind {
            0 => format!("all have schema {}", self.schema),
            behind => format!("{behind} to be brought to schema {}", self.schema),
        };
        self.say(&format!("tenants' databases: {sentence}"), &line);
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, sentence: &str, line: &Value) {
        match &self.bar {
            Some(bar) => bar.suspend(|| tell(sentence)),
            None => tell(&line.to_string()),
        }
    }
}

/// Which database.
fn of(member: &Member) -> Value {
    json!({
        "tenant": member.pooled.is_none().then(|| member.scope.slug().as_str()),
        "database": member.scope.database().as_str(),
        "cluster": member.scope.cluster().as_str(),
        "schemaBefore": member.schema,
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// That nobody can be told of what is done is no reason to leave it half done.
fn tell(text: &str) {
    let _ = print(&format!("{text}\n"));
}
