//! A tenant's settings, and how much of what it may have it has.

mod read;
mod replace;
mod usage;
mod view;

pub(crate) use read::{__path_read, read};
#[cfg(test)]
pub(crate) use replace::ReplaceSettingsBody;
pub(crate) use replace::{__path_replace, replace};
#[cfg(test)]
pub(crate) use usage::UsageView;
pub(crate) use usage::{__path_usage, usage};
#[cfg(test)]
pub(crate) use view::SettingsView;
