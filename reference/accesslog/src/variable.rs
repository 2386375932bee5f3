//! The variables of a format (docs/access-logs.md) and what each may be.

use crate::date::DateFormat;

/// What stands at one place of a format.
#[derive(Debug)]
pub(crate) enum Variable {
    ClientIp,
    CompletionDate(DateFormat),
    Default,
    Duration,
    PeerIp,
    Protocol,
    Referer,
    Request,
    RequestHeader(String),
    RequestHostname,
    RequestMethod,
    RequestPath,
    RequestProtocol,
    RequestTime(DateFormat),
    ResponseHeader(String),
    ResponseSize,
    SslVersion,
    Status,
    UniqueId,
    UserAgent,
}

/// What a variable's argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// It takes none.
    None,
    /// A strftime format; without one, the common log format's.
    Date,
    /// A field name, always.
    Field,
}

/// Every name, in alphabetical order, with its argument.
pub(crate) const NAMES: [(&str, Argument); 20] = [
    ("client_ip", Argument::None),
    ("completion_date", Argument::Date),
    ("default", Argument::None),
    ("duration", Argument::None),
    ("peer_ip", Argument::None),
    ("protocol", Argument::None),
    ("referer", Argument::None),
    ("request", Argument::None),
    ("request_header", Argument::Field),
    ("request_hostname", Argument::None),
    ("request_method", Argument::None),
    ("request_path", Argument::None),
    ("request_protocol", Argument::None),
    ("request_time", Argument::Date),
    ("response_header", Argument::Field),
    ("response_size", Argument::None),
    ("ssl_version", Argument::None),
    ("status", Argument::None),
    ("unique_id", Argument::None),
    ("user_agent", Argument::None),
];

impl Variable {
    /// The variable `name` that takes no argument.
    pub(crate) fn plain(name: &str) -> Option<Self> {
        Some(match name {
            "client_ip" => Self::ClientIp,
            "default" => Self::Default,
            "duration" => Self::Duration,
            "peer_ip" => Self::PeerIp,
            "protocol" => Self::Protocol,
            "referer" => Self::Referer,
            "request" => Self::Request,
            "request_hostname" => Self::RequestHostname,
            "request_method" => Self::RequestMethod,
            "request_path" => Self::RequestPath,
            "request_protocol" => Self::RequestProtocol,
            "response_size" => Self::ResponseSize,
            "ssl_version" => Self::SslVersion,
            "status" => Self::Status,
            "unique_id" => Self::UniqueId,
            "user_agent" => Self::UserAgent,
            _ => return None,
        })
    }

    /// Whether dialect 2018 puts double quotes round it.
    pub(crate) fn quotes_itself_in_2018(&self) -> bool {
        matches!(self, Self::Protocol | Self::Referer | Self::Request | Self::UserAgent)
    }

    /// Whether it can be present and of no length: then an empty value and a missing one look the
    /// same before a `-`.
    pub(crate) fn may_be_empty(&self) -> bool {
        match self {
            Self::CompletionDate(date) | Self::RequestTime(date) => date.may_be_empty(),
            Self::Default | Self::Duration | Self::ResponseSize | Self::Status => false,
            Self::ClientIp
            | Self::PeerIp
            | Self::Protocol
            | Self::Referer
            | Self::Request
            | Self::RequestHeader(_)
            | Self::RequestHostname
            | Self::RequestMethod
            | Self::RequestPath
            | Self::RequestProtocol
            | Self::ResponseHeader(_)
            | Self::SslVersion
            | Self::UniqueId
            | Self::UserAgent => true,
        }
    }
}
