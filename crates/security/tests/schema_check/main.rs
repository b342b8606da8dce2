//! Findings against schemas as schemars generates them from our types.

mod forms;
mod order;
mod robust;
mod words;
