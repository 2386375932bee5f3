//! Whole runs, from the text of a scenario to the events.

mod bare;
mod stand_in;
mod support;
