//! HTTP/1.1 messages read from bytes, for the client and for the origin: tolerant, with what is wrong noted.

mod answer;
mod content;
mod head;
mod request;

pub(crate) use answer::{Answer, AnswerReader, Asked, Interim, Progress};
pub(crate) use content::Content;
pub(crate) use head::Fields;
pub(crate) use request::{ReadRequest, Received, RequestReader};
