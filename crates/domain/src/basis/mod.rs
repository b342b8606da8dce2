//! What a tenant configures for the programs of its people: its basis, and the processes they follow.

mod content;
mod kept;
mod label;
mod subject;

pub use content::{Basis, BusinessVariant, MOST_STEPS, MOST_VARIANTS, Process, Step};
pub use kept::{BasisConfig, Kept, ProcessConfig};
pub use label::Label;
pub use subject::Subject;
