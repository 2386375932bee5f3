//! Between a response and the client: nothing of it goes out before the rules have agreed.

use bytes::Bytes;
use edgeproof_http1::{BodyLength, Fields};
use edgeproof_waf::BodyVerdict;

use super::inspection::{Decision, Inspection, OfResponse};

/// The rules that a response has to pass, and what waits for them.
pub(crate) struct Gate {
    inspection: Inspection,
    state: State,
}

#[derive(Default)]
enum State {
    #[default]
    Open,
    Held(HeldBack),
    Closed,
}

/// A response of which the client has seen nothing yet.
pub(crate) struct HeldBack {
    pub(crate) status: u16,
    pub(crate) reason: Bytes,
    pub(crate) fields: Fields,
    pub(crate) length: BodyLength,
    pub(crate) body: Vec<Bytes>,
}

/// What becomes of a piece of a response's body.
pub(crate) enum OfPiece {
    /// It goes to the client.
    Send(Bytes),
    /// It is kept, or goes nowhere.
    Nothing,
    /// The rules have seen enough: so they decide of all that was held back.
    Decided(Decision, HeldBack),
}

impl Gate {
    pub(crate) fn new(inspection: Inspection) -> Self {
        Self { inspection, state: State::Open }
    }

    pub(crate) fn into_inspection(self) -> Inspection {
        self.inspection
    }

    pub(crate) fn inspection(&self) -> &Inspection {
        &self.inspection
    }

    /// The head of a response. Where its body is not wanted, or there is none, all is decided here.
    pub(crate) fn head<'h>(
        &mut self,
        status: u16,
        reason: &[u8],
        fields: impl IntoIterator<Item = (&'h [u8], &'h [u8])>,
        has_content: bool,
    ) -> OfResponse {
        match self.inspection.response(status, reason, fields) {
            OfResponse::Hold if has_content => OfResponse::Hold,
            OfResponse::Hold | OfResponse::Decided(Decision::Pass) => {
                OfResponse::Decided(self.inspection.response_end())
            }
            decided @ OfResponse::Decided(_) => decided,
        }
    }

    /// Keeps a response back until its body has been seen.
    pub(crate) fn hold(&mut self, held: HeldBack) {
        self.state = State::Held(held);
    }

    /// Lets nothing more through.
    pub(crate) fn close(&mut self) {
        self.state = State::Closed;
    }

    /// Whether nothing more goes through: another answer has taken the response's place.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// A piece of the body.
    pub(crate) fn piece(&mut self, data: Bytes) -> OfPiece {
        match &mut self.state {
            State::Open => return OfPiece::Send(data),
            State::Closed => return OfPiece::Nothing,
            State::Held(held) => held.body.push(data.clone()),
        }
        match self.inspection.response_body(&data) {
            BodyVerdict::Continue => OfPiece::Nothing,
            verdict => self.decide(verdict),
        }
    }

    /// The body's end.
    pub(crate) fn end(&mut self) -> OfPiece {
        match self.state {
            State::Open => OfPiece::Send(Bytes::new()),
            State::Closed => OfPiece::Nothing,
            State::Held(_) => self.decide(BodyVerdict::Continue),
        }
    }

    /// A whole body that is there at once.
    pub(crate) fn whole(&mut self, body: &[u8]) -> Decision {
        let verdict = self.inspection.response_body(body);
        self.verdict(verdict)
    }

    fn decide(&mut self, verdict: BodyVerdict) -> OfPiece {
        let decision = self.verdict(verdict);
        match std::mem::take(&mut self.state) {
            State::Held(held) => OfPiece::Decided(decision, held),
            State::Open | State::Closed => OfPiece::Nothing,
        }
    }

    fn verdict(&mut self, verdict: BodyVerdict) -> Decision {
        match verdict {
            BodyVerdict::Reject { status } => Decision::Answer { status, location: None },
            BodyVerdict::Continue | BodyVerdict::Enough => self.inspection.response_end(),
        }
    }
}
