//! An answer from the store.

use std::sync::Arc;

use bytes::Bytes;
use edgeproof_http1::Fields;
use smallvec::{SmallVec, smallvec};

use crate::range::{self, Part};
use crate::store::Turn;
use crate::{
    CacheStatus, DeltaSeconds, Forward, Fwd, Moment, Stored, conditional, sabotage, storing,
};
use edgeproof_mutant::{self as mutant, Mutant};

/// Which form of the stored response is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// All of it; to a HEAD without the content.
    Whole,
    /// 304 (Not Modified): the client has it already.
    NotModified,
    /// 206 (Partial Content): one part or several.
    Part(Part),
    /// 416 (Range Not Satisfiable).
    Unsatisfiable,
}

/// What describes the whole representation; without Content-Type, which says how to read the part.
const KNOWN_WITH_IF_RANGE: &[&str] = &["content-encoding", "content-language", "last-modified"];

/// What a 416 says (RFC 9110 §15.5).
const UNSATISFIABLE: &[u8] =
    b"416 Range Not Satisfiable: the content ends before the range that was asked for begins\n";

/// An answer from the store. The body is shared with the store, not copied.
///
/// The caller frames it (Content-Length, or nothing for a 304) and adds [`Reply::age`] as Age and
/// [`Reply::cache_status`] to Cache-Status.
#[derive(Debug)]
pub struct Reply {
    stored: Arc<Stored>,
    form: Form,
    age: Option<DeltaSeconds>,
    cache_status: CacheStatus,
    /// Fields that are not the stored response's, but this answer's.
    added: Fields,
    refresh: Option<Box<Forward>>,
}

impl Reply {
    /// Used without validation: Age is obligatory (RFC 9111 §4).
    pub(crate) fn reused(stored: Arc<Stored>, form: Form, now: Moment) -> Self {
        let age = (!mutant::is(Mutant::ForgetsAge)).then(|| stored.age(now));
        let cache_status = CacheStatus::hit(stored.time_to_live(now));
        Self::new(stored, form, age, cache_status, Fields::new())
    }

    /// Used after the origin's 304. Age would say that the origin was not asked (RFC 9111 §5.1),
    /// so it is left out unless the 304 itself came from another cache.
    pub(crate) fn validated(
        stored: Arc<Stored>,
        form: Form,
        cache_status: CacheStatus,
        for_asker: Fields,
        now: Moment,
    ) -> Self {
        let age = Some(stored.age(now)).filter(|age| *age > DeltaSeconds::ZERO);
        let cache_status = CacheStatus { ttl: Some(stored.time_to_live(now)), ..cache_status };
        Self::new(stored, form, age, cache_status, for_asker)
    }

    fn new(
        stored: Arc<Stored>,
        form: Form,
        age: Option<DeltaSeconds>,
        cache_status: CacheStatus,
        mut added: Fields,
    ) -> Self {
        match &form {
            Form::Whole | Form::NotModified => {}
            Form::Part(part) => {
                added.extend(part.content_range.iter().map(|range| ("Content-Range", range)));
                added.extend(part.content_type.iter().map(|media| ("Content-Type", media)));
            }
            Form::Unsatisfiable => {
                added.push("Content-Range", range::unsatisfied(&stored));
                added.push("Content-Type", "text/plain; charset=utf-8");
            }
        }
        let added = sabotage::parts::added(&form, added);
        Self { stored, form, age, cache_status, added, refresh: None }
    }

    /// In place of the origin's failure.
    pub(crate) fn in_place_of_failure(self, forwarded: CacheStatus) -> Self {
        Self { cache_status: CacheStatus { ttl: self.cache_status.ttl, ..forwarded }, ..self }
    }

    /// After such a turn: one that waited was forwarded together with another (RFC 9211 §2.6), one that
    /// was completed was forwarded for what was missing.
    pub(crate) fn after(self, turn: Turn) -> Self {
        let Some(fwd) = turn.waited() else { return self };
        let cache_status = CacheStatus {
            hit: false,
            fwd: Some(fwd),
            collapsed: (fwd != Fwd::Partial).then_some(true),
            ..self.cache_status
        };
        Self { cache_status, ..self }
    }

    pub(crate) fn with_refresh(self, forward: Forward) -> Self {
        Self { refresh: Some(Box::new(forward)), ..self }
    }

    /// The status code to send.
    #[must_use]
    pub fn status(&self) -> u16 {
        sabotage::parts::status(match &self.form {
            Form::Whole => self.stored.status(),
            Form::NotModified => 304,
            Form::Part(part) => sabotage::conditions::status_of_part(206, part),
            Form::Unsatisfiable => 416,
        })
    }

    /// The form that is sent.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The field lines to send, without Age, Content-Length and Cache-Status of this cache.
    pub fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let has_etag = self.stored.etag().is_some();
        let is_sent = move |name: &[u8]| match &self.form {
            Form::Whole => true,
            Form::NotModified => conditional::is_in_not_modified(name, has_etag),
            Form::Part(part) => {
                let replaced =
                    part.content_type.is_some() && storing::is_one_of(name, &["content-type"]);
                // RFC 9110 §15.3.7
                let known = part.is_rest && storing::is_one_of(name, KNOWN_WITH_IF_RANGE);
                !replaced && !known
            }
            // An answer of its own: nothing describes the representation.
            Form::Unsatisfiable => name.eq_ignore_ascii_case(b"date"),
        };
        let is_sent = move |name| sabotage::storing::is_sent(&self.form, name, is_sent(name));
        let stored = self.stored.fields().iter().filter(move |(name, _)| is_sent(name));
        stored.chain(self.added.iter())
    }

    /// Whether [`Reply::fields`] are exactly the stored ones, so that they may be sent as they lie
    /// in the store.
    #[must_use]
    pub fn is_as_stored(&self) -> bool {
        self.form == Form::Whole && self.added.is_empty()
    }

    /// The content of the reply to a GET, in pieces that follow one another; none for a 304.
    #[must_use]
    pub fn body(&self) -> SmallVec<[Bytes; 1]> {
        match &self.form {
            Form::Whole => self.stored.body().into_iter().cloned().collect(),
            Form::Part(part) => part.content.iter().cloned().collect(),
            Form::NotModified => SmallVec::new(),
            Form::Unsatisfiable => {
                smallvec![Bytes::from_static(sabotage::parts::refusal(UNSATISFIABLE))]
            }
        }
    }

    /// The trailer fields that end the content; none but with the whole of it (RFC 9110 §6.5).
    #[must_use]
    pub fn trailers(&self) -> &Fields {
        static NONE: Fields = Fields::new();
        if self.form == Form::Whole { self.stored.trailers() } else { &NONE }
    }

    /// What Content-Length says, also to a HEAD; `None` where it is not sent (RFC 9110 §8.6).
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        match &self.form {
            Form::Whole if self.stored.status() != 204 => self.stored.complete_length(),
            Form::Whole | Form::NotModified => None,
            Form::Part(part) => Some(part.content.iter().map(|piece| piece.len() as u64).sum()),
            Form::Unsatisfiable => Some(sabotage::parts::refusal(UNSATISFIABLE).len() as u64),
        }
    }

    /// The value of Age, where it is to be sent.
    #[must_use]
    pub fn age(&self) -> Option<DeltaSeconds> {
        self.age
    }

    /// This cache's member of Cache-Status.
    #[must_use]
    pub fn cache_status(&self) -> CacheStatus {
        self.cache_status
    }

    /// The stored response.
    #[must_use]
    pub fn stored(&self) -> &Arc<Stored> {
        &self.stored
    }

    /// The validation to do in the background while this reply is sent (`stale-while-revalidate`,
    /// RFC 5861 §3): forward it as a GET. One reply at a time gets it.
    #[must_use]
    pub fn take_refresh(&mut self) -> Option<Box<Forward>> {
        self.refresh.take()
    }
}
