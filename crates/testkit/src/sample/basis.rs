use tenantry_domain::Verbatim;
use tenantry_domain::basis::{
    Basis, BasisConfig, BusinessVariant, Kept, Label, Process, ProcessConfig, Step, Subject,
};
use tenantry_ports::ConfigurationVersion;

use super::{ODD_TEXT, at, id, now};

/// The label.
///
/// # Panics
/// If it is none.
pub fn label(text: &str) -> Label {
    Label::new(text).expect("a valid label")
}

/// The JSON object, as it is written.
///
/// # Panics
/// If it is none.
pub fn verbatim(text: &str) -> Verbatim {
    Verbatim::from_text(text).expect("a JSON object")
}

/// A basis whose texts, order and digits are easily lost.
pub fn basis() -> Basis {
    let org_structure = verbatim(r#"{"z":1.10,"levels":2,"a":[12345678901234567890123],"e":"\u0000 ü"}"#);
    let variant = BusinessVariant { name: label(ODD_TEXT), code: label("DEF") };
    Basis { org_structure, business_variants: vec![variant] }
}

/// A basis, in its first version.
pub fn basis_config() -> BasisConfig {
    Kept::begin(id(), basis(), now())
}

/// A process of two steps.
pub fn process(process_type: &str, name: &str) -> Process {
    let step = |name, role| Step { step_name: label(name), required_role: label(role) };
    Process {
        name: label(name),
        process_type: label(process_type),
        steps: vec![step(ODD_TEXT, "BUYER"), step("Publish", "ADMIN")],
    }
}

/// A process of two steps, in its first version.
pub fn process_config(process_type: &str, name: &str) -> ProcessConfig {
    Kept::begin(id(), process(process_type, name), now())
}

/// A version of something; every third one says that it was removed.
pub fn config_version(subject: impl Into<Subject>, version: i64) -> ConfigurationVersion {
    ConfigurationVersion {
        subject: subject.into(),
        version,
        document: (version % 3 != 0).then(|| verbatim(&format!(r#"{{"z":{version}.10,"a":null}}"#))),
        changed_by: "operator".to_owned(),
        changed_at: at(version),
    }
}
