//! A stored response: what is sent, and what reuse asks about, worked out once at storing.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use edgeproof_http1::{Fields, Written};

use crate::content::Content;
use crate::directives::Scope;
use crate::vary::Selecting;
use crate::{
    DeltaSeconds, EntityTag, Facts, Moment, Policy, Request, Response, Times, age, freshness,
    sabotage, storing, validation,
};
use freshness::Lifetime;
use storing::NotStored;

/// A stored response, complete or in parts. It never changes: an update puts another in its place.
#[derive(Debug)]
pub struct Stored {
    status: u16,
    /// As they are sent, so that a hit costs no encoding.
    fields: Box<[u8]>,
    content: Content,
    trailers: Option<Box<Fields>>,
    has_via: bool,
    selecting: Selecting,
    response_time: Moment,
    initial_age: i64,
    date: i64,
    last_modified: Option<i64>,
    lifetime: Lifetime,
    always_validated: bool,
    never_stale: bool,
    outdated: bool,
    stale_while_revalidate: Option<DeltaSeconds>,
    stale_if_error: Option<DeltaSeconds>,
    pub(crate) refreshing: AtomicBool,
}

/// All that a stored response consists of, for a store that holds it as bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parts {
    pub(crate) status: u16,
    pub(crate) fields: Fields,
    pub(crate) content: Content,
    pub(crate) trailers: Fields,
    pub(crate) selecting: Selecting,
    pub(crate) response_time: Moment,
    pub(crate) initial_age: i64,
    pub(crate) date: i64,
    pub(crate) last_modified: Option<i64>,
    pub(crate) lifetime: Lifetime,
    pub(crate) always_validated: bool,
    pub(crate) never_stale: bool,
    pub(crate) outdated: bool,
    pub(crate) stale_while_revalidate: Option<DeltaSeconds>,
    pub(crate) stale_if_error: Option<DeltaSeconds>,
}

impl From<Parts> for Stored {
    fn from(parts: Parts) -> Self {
        Self {
            status: parts.status,
            has_via: parts.fields.contains("via"),
            fields: parts.fields.to_written(),
            content: parts.content,
            trailers: (!parts.trailers.is_empty()).then(|| Box::new(parts.trailers)),
            selecting: parts.selecting,
            response_time: parts.response_time,
            initial_age: parts.initial_age,
            date: parts.date,
            last_modified: parts.last_modified,
            lifetime: parts.lifetime,
            always_validated: parts.always_validated,
            never_stale: parts.never_stale,
            outdated: parts.outdated,
            stale_while_revalidate: parts.stale_while_revalidate,
            stale_if_error: parts.stale_if_error,
            refreshing: AtomicBool::new(false),
        }
    }
}

impl Stored {
    /// What it consists of; the content is shared.
    pub(crate) fn parts(&self) -> Parts {
        Parts {
            status: self.status,
            fields: self.fields().to_fields(),
            content: self.content.clone(),
            trailers: self.trailers().clone(),
            selecting: self.selecting.clone(),
            response_time: self.response_time,
            initial_age: self.initial_age,
            date: self.date,
            last_modified: self.last_modified,
            lifetime: self.lifetime,
            always_validated: self.always_validated,
            never_stale: self.never_stale,
            outdated: self.outdated,
            stale_while_revalidate: self.stale_while_revalidate,
            stale_if_error: self.stale_if_error,
        }
    }

    /// A response worth storing, without content as yet.
    pub(crate) fn new(
        response: Response<'_>,
        selecting: Selecting,
        facts: &Facts,
        policy: Policy,
        response_time: Moment,
    ) -> Self {
        let fields = storing::stored_fields(response.fields, facts);
        let fields = sabotage::reuse::stored_fields(fields, response);
        Self::assemble(&fields, selecting, facts, policy, response_time)
    }

    fn assemble(
        fields: &Fields,
        selecting: Selecting,
        facts: &Facts,
        policy: Policy,
        response_time: Moment,
    ) -> Self {
        let directives = &facts.directives;
        // s-maxage has proxy-revalidate in it (RFC 9111 §5.2.2.10).
        let never_stale = directives.must_revalidate
            || directives.proxy_revalidate
            || directives.s_maxage.is_some();
        Self {
            // A part is stored as an incomplete 200 (RFC 9111 §3.3).
            status: if facts.status == 206 { 200 } else { facts.status },
            has_via: fields.contains("via"),
            fields: sabotage::fields::stored(fields).to_written(),
            content: Content::Whole(Bytes::new()),
            trailers: None,
            selecting,
            response_time,
            initial_age: facts.initial_age,
            date: facts.date,
            last_modified: facts.last_modified,
            lifetime: sabotage::reuse::lifetime(freshness::lifetime(facts, policy), facts),
            always_validated: directives.no_cache == Scope::Response,
            never_stale: sabotage::reuse::never_stale(never_stale, directives),
            outdated: false,
            stale_while_revalidate: directives.stale_while_revalidate,
            stale_if_error: directives.stale_if_error,
            refreshing: AtomicBool::new(false),
        }
    }

    /// The response with its content.
    pub(crate) fn with_content(self, content: Content, trailers: Fields) -> Self {
        let fields = sabotage::storing::with_trailers(self.fields, &trailers);
        let trailers = (!trailers.is_empty()).then(|| Box::new(trailers));
        Self { fields, content, trailers, ..self }
    }

    /// The response as a 304 or a HEAD has updated it (RFC 9111 §3.2): its age starts anew.
    /// `request` is the one that was validated; without it the selecting fields stay.
    pub(crate) fn updated(
        &self,
        newer: Response<'_>,
        request: Option<&Request<'_>>,
        policy: Policy,
        times: Times,
    ) -> Self {
        let news = Facts::of(newer, times);
        let mut fields =
            validation::updated_fields(&self.fields().to_fields(), newer.fields, &news);
        if !newer.fields.contains("date") {
            fields.set("Date", crate::date::format(news.date));
        }
        let mut facts = Facts::of(Response { status: self.status, fields: &fields }, times);
        // Age is not among the stored fields; the newer response's counts.
        facts.initial_age = news.initial_age;
        let selecting = match request {
            Some(request) if fields.contains("vary") => Selecting::of(&fields, request.fields),
            _ => self.selecting.clone(),
        };
        let new = Self::assemble(&fields, selecting, &facts, policy, times.response);
        let content = sabotage::storing::updated_content(newer, self.content.clone());
        Self { content, trailers: self.trailers.clone(), ..new }
    }

    /// Whether the response, as it is now, may be stored after `request`.
    pub(crate) fn may_be_stored(
        &self,
        request: &Request<'_>,
        policy: Policy,
    ) -> Result<(), NotStored> {
        let fields = self.fields().to_fields();
        let response = Response { status: self.status, fields: &fields };
        let facts = Facts::of(response, Times::at(self.response_time));
        storing::decide(request, response, &facts, policy)
    }

    /// The response, marked as stale whatever its lifetime says (RFC 9111 §4.3.5).
    pub(crate) fn marked_outdated(&self) -> Self {
        Self {
            fields: self.fields.clone(),
            content: self.content.clone(),
            trailers: self.trailers.clone(),
            selecting: self.selecting.clone(),
            outdated: true,
            refreshing: AtomicBool::new(false),
            ..*self
        }
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The header fields, without Age and Content-Length, which depend on the moment and on
    /// what is sent.
    #[must_use]
    pub fn fields(&self) -> Written<'_> {
        Written::new(&self.fields)
    }

    /// The content, if all of it is stored; a clone shares it.
    #[must_use]
    pub fn body(&self) -> Option<&Bytes> {
        self.content.whole()
    }

    /// The content, whole or in parts.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    /// Whether all of the content is stored.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.content.is_whole()
    }

    /// Whether it came in answer to a HEAD, and so is of use for other HEADs only (RFC 9110 §9.3.2).
    #[must_use]
    pub fn is_of_head(&self) -> bool {
        self.content.is_untold()
    }

    /// The octets of the whole content, where that is known.
    #[must_use]
    pub fn complete_length(&self) -> Option<u64> {
        self.content.complete_length()
    }

    /// The octets of a span of the content, if they are stored.
    #[must_use]
    pub fn slice(&self, span: &std::ops::Range<u64>) -> Option<Bytes> {
        self.content.slice(span)
    }

    /// Its entity tag, if it has one that is valid.
    #[must_use]
    pub fn etag(&self) -> Option<EntityTag<'_>> {
        self.fields().get("etag").and_then(EntityTag::parse)
    }

    /// Whether other intermediaries have left their names in Via: this one's then joins them
    /// there.
    #[must_use]
    pub fn has_via(&self) -> bool {
        self.has_via
    }

    /// The trailer fields, kept apart from the header (RFC 9111 §3.1).
    #[must_use]
    pub fn trailers(&self) -> &Fields {
        static NONE: Fields = Fields::new();
        self.trailers.as_deref().unwrap_or(&NONE)
    }

    /// The selecting fields of the request that brought it.
    #[must_use]
    pub fn selecting(&self) -> &Selecting {
        &self.selecting
    }

    /// How long it is fresh.
    #[must_use]
    pub fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// Date, in seconds since the Unix epoch; the time of arrival where it had none.
    #[must_use]
    pub fn date(&self) -> i64 {
        self.date
    }

    /// Last-Modified, in seconds since the Unix epoch, if it is valid.
    #[must_use]
    pub fn last_modified(&self) -> Option<i64> {
        self.last_modified
    }

    /// When its head arrived.
    #[must_use]
    pub fn response_time(&self) -> Moment {
        self.response_time
    }

    /// `current_age` in milliseconds (RFC 9111 §4.2.3).
    #[must_use]
    pub fn current_age_millis(&self, now: Moment) -> i64 {
        age::current_millis(self.initial_age, self.response_time, now)
    }

    /// The value for the Age field.
    #[must_use]
    pub fn age(&self, now: Moment) -> DeltaSeconds {
        DeltaSeconds::saturating(self.current_age_millis(now) / 1000)
    }

    /// The seconds of freshness that are left, negative when stale, rounded down.
    #[must_use]
    pub fn time_to_live(&self, now: Moment) -> i64 {
        (self.lifetime.seconds.millis() - self.current_age_millis(now)).div_euclid(1000)
    }

    /// Whether `no-cache` asks for validation before each use (RFC 9111 §5.2.2.4).
    #[must_use]
    pub fn is_always_validated(&self) -> bool {
        self.always_validated
    }

    /// Whether must-revalidate, proxy-revalidate or s-maxage forbid stale use.
    #[must_use]
    pub fn is_never_stale(&self) -> bool {
        self.never_stale
    }

    /// Whether a HEAD has shown that the resource changed (RFC 9111 §4.3.5).
    #[must_use]
    pub fn is_outdated(&self) -> bool {
        self.outdated
    }

    /// The window of `stale-while-revalidate` (RFC 5861 §3).
    #[must_use]
    pub fn stale_while_revalidate(&self) -> Option<DeltaSeconds> {
        self.stale_while_revalidate
    }

    /// The window of `stale-if-error` (RFC 5861 §4).
    #[must_use]
    pub fn stale_if_error(&self) -> Option<DeltaSeconds> {
        self.stale_if_error
    }

    /// Whether there is a validator to revalidate it by.
    #[must_use]
    pub fn has_validator(&self) -> bool {
        self.last_modified.is_some() || self.etag().is_some()
    }

    /// What decides between several that would do: the latest Date, then the latest arrival
    /// (RFC 9111 §4).
    pub(crate) fn recency(&self) -> (i64, Moment) {
        (self.date, self.response_time)
    }

    /// Claims the one background validation at a time; the claim ends with [`Stored::release`].
    pub(crate) fn claim(&self) -> bool {
        sabotage::fields::claim(!self.refreshing.swap(true, Ordering::AcqRel))
    }

    pub(crate) fn release(&self) {
        self.refreshing.store(false, Ordering::Release);
    }

    /// The bytes of memory that it takes, near enough to bound a store by.
    #[must_use]
    pub fn size(&self) -> usize {
        const LINE: usize = 16;
        let trailers = self.trailers.as_ref().map_or(0, |trailers| {
            let lines = trailers.iter().map(|(name, value)| name.len() + value.len() + LINE);
            size_of::<Fields>() + lines.sum::<usize>()
        });
        size_of::<Self>()
            + self.fields.len()
            + trailers
            + self.selecting.size()
            + self.content.stored_length()
    }
}
