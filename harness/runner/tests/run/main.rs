//! Whole runs, from the text of a scenario to the events.

mod bare;
mod elsewhere;
mod journey;
mod settings;
mod shared_site;
mod stand_in;
mod support;
