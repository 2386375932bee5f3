//! The variables of SecLang: what a rule can look at.
//!
//! Names are those of ModSecurity's reference manual. Two lists are kept: the variables that this engine has, and
//! those that ModSecurity has and this engine refuses, each with its reason.

/// Declares the variables once: name in Rust, name in SecLang, its shape, and what it holds.
macro_rules! variables {
    ($($variant:ident $name:literal $shape:ident $text:literal;)*) => {
        /// A variable or collection of SecLang.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Variable {
            $(#[doc = $text] $variant,)*
        }

        impl Variable {
            /// Every variable.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name as the manual writes it: upper case.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            fn shape(self) -> Shape {
                match self {
                    $(Self::$variant => Shape::$shape,)*
                }
            }
        }
    };
}

/// Whether a variable is one value, or values that have names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Single,
    Many,
}

variables! {
    Args "ARGS" Many "Arguments of the query and of the body.";
    ArgsCombinedSize "ARGS_COMBINED_SIZE" Single "Bytes of all arguments' names and values.";
    ArgsGet "ARGS_GET" Many "Arguments of the query.";
    ArgsGetNames "ARGS_GET_NAMES" Many "Names of the query's arguments.";
    ArgsNames "ARGS_NAMES" Many "Names of all arguments.";
    ArgsPost "ARGS_POST" Many "Arguments of the body.";
    ArgsPostNames "ARGS_POST_NAMES" Many "Names of the body's arguments.";
    AuthType "AUTH_TYPE" Single "The scheme of the Authorization field.";
    Duration "DURATION" Single "Microseconds since the transaction began.";
    Env "ENV" Many "What `setenv` has set.";
    Files "FILES" Many "Uploaded files' names on the client, by form field.";
    FilesCombinedSize "FILES_COMBINED_SIZE" Single "Bytes of all uploaded files.";
    FilesNames "FILES_NAMES" Many "Names of the form fields that carry files.";
    FilesSizes "FILES_SIZES" Many "Bytes of each uploaded file.";
    FilesTmpContent "FILES_TMP_CONTENT" Many "Contents of the uploaded files.";
    FilesTmpnames "FILES_TMPNAMES" Many "Names of the uploaded files' temporary copies.";
    FullRequest "FULL_REQUEST" Single "Request line, header section and body.";
    FullRequestLength "FULL_REQUEST_LENGTH" Single "Bytes of `FULL_REQUEST`.";
    Geo "GEO" Many "What `@geoLookup` found.";
    Global "GLOBAL" Many "The persistent collection shared by all.";
    HighestSeverity "HIGHEST_SEVERITY" Single "The gravest severity of the rules that matched; 255 is none.";
    InboundDataError "INBOUND_DATA_ERROR" Single "1 where the request body is longer than its limit.";
    Ip "IP" Many "The persistent collection of a client address.";
    MatchedVar "MATCHED_VAR" Single "The value that matched last.";
    MatchedVarName "MATCHED_VAR_NAME" Single "The name of the value that matched last.";
    MatchedVars "MATCHED_VARS" Many "All values that the current rule matched.";
    MatchedVarsNames "MATCHED_VARS_NAMES" Many "Names of all values that the current rule matched.";
    ModsecBuild "MODSEC_BUILD" Single "The engine's build number.";
    MscPcreLimitsExceeded "MSC_PCRE_LIMITS_EXCEEDED" Single "1 where a pattern gave up at its limit.";
    MultipartBoundaryQuoted "MULTIPART_BOUNDARY_QUOTED" Single "1 where the boundary is quoted.";
    MultipartBoundaryWhitespace "MULTIPART_BOUNDARY_WHITESPACE" Single
        "1 where the boundary has white space.";
    MultipartCrlfLfLines "MULTIPART_CRLF_LF_LINES" Single "1 where lines end now in CRLF, now in LF.";
    MultipartDataAfter "MULTIPART_DATA_AFTER" Single "1 where data follows the last boundary.";
    MultipartDataBefore "MULTIPART_DATA_BEFORE" Single "1 where data precedes the first boundary.";
    MultipartFileLimitExceeded "MULTIPART_FILE_LIMIT_EXCEEDED" Single "1 where there are too many files.";
    MultipartFilename "MULTIPART_FILENAME" Many "The `filename` of each part.";
    MultipartHeaderFolding "MULTIPART_HEADER_FOLDING" Single "1 where a part's field is folded.";
    MultipartInvalidHeaderFolding "MULTIPART_INVALID_HEADER_FOLDING" Single
        "1 where a part's field is folded wrongly.";
    MultipartInvalidPart "MULTIPART_INVALID_PART" Single "1 where a part is malformed.";
    MultipartInvalidQuoting "MULTIPART_INVALID_QUOTING" Single "1 where a part's parameter is quoted wrongly.";
    MultipartLfLine "MULTIPART_LF_LINE" Single "1 where a line ends in LF alone.";
    MultipartMissingSemicolon "MULTIPART_MISSING_SEMICOLON" Single
        "1 where a semicolon is missing before a parameter.";
    MultipartName "MULTIPART_NAME" Many "The `name` of each part.";
    MultipartPartHeaders "MULTIPART_PART_HEADERS" Many "The field lines of each part, by the part's name.";
    MultipartStrictError "MULTIPART_STRICT_ERROR" Single "1 where any of the multipart flags is set.";
    MultipartUnmatchedBoundary "MULTIPART_UNMATCHED_BOUNDARY" Single
        "1 where a line looks like a boundary and is none.";
    OutboundDataError "OUTBOUND_DATA_ERROR" Single "1 where the response body is longer than its limit.";
    PathInfo "PATH_INFO" Single "What follows the script's name in the path.";
    QueryString "QUERY_STRING" Single "The query as sent.";
    RemoteAddr "REMOTE_ADDR" Single "The client's address.";
    RemoteHost "REMOTE_HOST" Single "The client's host name, or its address.";
    RemotePort "REMOTE_PORT" Single "The client's port.";
    RemoteUser "REMOTE_USER" Single "The user name of Basic authentication.";
    ReqbodyError "REQBODY_ERROR" Single "1 where the body could not be read as what it says it is.";
    ReqbodyErrorMsg "REQBODY_ERROR_MSG" Single "Why `REQBODY_ERROR` is 1.";
    ReqbodyProcessor "REQBODY_PROCESSOR" Single "The body processor in use.";
    ReqbodyProcessorError "REQBODY_PROCESSOR_ERROR" Single "1 where the body processor failed.";
    ReqbodyProcessorErrorMsg "REQBODY_PROCESSOR_ERROR_MSG" Single "Why the body processor failed.";
    RequestBasename "REQUEST_BASENAME" Single "What follows the path's last slash.";
    RequestBody "REQUEST_BODY" Single "The request body.";
    RequestBodyLength "REQUEST_BODY_LENGTH" Single "Bytes of the request body.";
    RequestCookies "REQUEST_COOKIES" Many "Cookies' values.";
    RequestCookiesNames "REQUEST_COOKIES_NAMES" Many "Cookies' names.";
    RequestFilename "REQUEST_FILENAME" Single "The path without the query.";
    RequestHeaders "REQUEST_HEADERS" Many "The request's field values.";
    RequestHeadersNames "REQUEST_HEADERS_NAMES" Many "The request's field names.";
    RequestLine "REQUEST_LINE" Single "The request line as sent.";
    RequestMethod "REQUEST_METHOD" Single "The method.";
    RequestProtocol "REQUEST_PROTOCOL" Single "The protocol with its version, such as `HTTP/1.1`.";
    RequestUri "REQUEST_URI" Single "Path and query, without scheme and host.";
    RequestUriRaw "REQUEST_URI_RAW" Single "The target as sent, with scheme and host where it has them.";
    Resource "RESOURCE" Many "The persistent collection of a resource.";
    ResponseBody "RESPONSE_BODY" Single "The response body.";
    ResponseContentLength "RESPONSE_CONTENT_LENGTH" Single "Bytes of the response body.";
    ResponseContentType "RESPONSE_CONTENT_TYPE" Single "The response's media type.";
    ResponseHeaders "RESPONSE_HEADERS" Many "The response's field values.";
    ResponseHeadersNames "RESPONSE_HEADERS_NAMES" Many "The response's field names.";
    ResponseProtocol "RESPONSE_PROTOCOL" Single "The response's protocol with its version.";
    ResponseStatus "RESPONSE_STATUS" Single "The response's status code.";
    Rule "RULE" Many "The current rule's id, rev, severity, logdata and msg.";
    ServerAddr "SERVER_ADDR" Single "The address that the client connected to.";
    ServerName "SERVER_NAME" Single "The host that the client asked for.";
    ServerPort "SERVER_PORT" Single "The port that the client connected to.";
    Session "SESSION" Many "The persistent collection of a session.";
    SessionId "SESSIONID" Single "What `setsid` has set.";
    StatusLine "STATUS_LINE" Single "The status line.";
    Time "TIME" Single "The time of day, such as `14:05:59`.";
    TimeDay "TIME_DAY" Single "The day of the month, from 1.";
    TimeEpoch "TIME_EPOCH" Single "Seconds since 1970.";
    TimeHour "TIME_HOUR" Single "The hour, 0 to 23.";
    TimeMin "TIME_MIN" Single "The minute.";
    TimeMon "TIME_MON" Single "The month, from 0.";
    TimeSec "TIME_SEC" Single "The second.";
    TimeWday "TIME_WDAY" Single "The day of the week, 0 is Sunday.";
    TimeYear "TIME_YEAR" Single "The year, four digits.";
    Tx "TX" Many "The transaction's own collection: captures, scores, settings.";
    UniqueId "UNIQUE_ID" Single "The transaction's id.";
    UrlencodedError "URLENCODED_ERROR" Single "1 where a percent encoding is invalid.";
    User "USER" Many "The persistent collection of a user.";
    UserId "USERID" Single "What `setuid` has set.";
    WebappId "WEBAPPID" Single "What `SecWebAppId` says.";
    WebserverErrorLog "WEBSERVER_ERROR_LOG" Single "What the server noted about this transaction.";
    Xml "XML" Many "The body as XML, by XPath.";
}

impl Variable {
    /// The variable of this name; case does not count.
    ///
    /// ```
    /// use edgeproof_waf::Variable;
    /// assert_eq!(Variable::named("request_headers"), Some(Variable::RequestHeaders));
    /// assert_eq!(Variable::named("HEADERS"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        // ModSecurity's other name for one of its variables.
        if name.eq_ignore_ascii_case("MULTIPART_SEMICOLON_MISSING") {
            return Some(Self::MultipartMissingSemicolon);
        }
        Self::ALL.iter().copied().find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// Whether its values have names, so that a selector (`ARGS:user`) can choose among them.
    pub fn is_collection(self) -> bool {
        self.shape() == Shape::Many
    }

    /// Why this engine has not got a variable that ModSecurity has; nothing where ModSecurity has none of that name.
    pub(crate) fn refused(name: &str) -> Option<&'static str> {
        const SCRIPT: &str = "a proxy runs no script on disk whose owner and mode it could tell";
        const PERFORMANCE: &str = "the engine does not time itself for its rules";
        const STREAM: &str = "use REQUEST_BODY or RESPONSE_BODY: bodies are not rewritten";
        let name = name.to_ascii_uppercase();
        match name.as_str() {
            _ if name.starts_with("SCRIPT_") => Some(SCRIPT),
            _ if name.starts_with("PERF_") => Some(PERFORMANCE),
            "STREAM_INPUT_BODY" | "STREAM_OUTPUT_BODY" => Some(STREAM),
            "USERAGENT_IP" => {
                Some("use REMOTE_ADDR: the proxy has already decided who the client is")
            }
            "SDBM_DELETE_ERROR" => Some("persistent collections are not kept in SDBM files"),
            "MSC_PCRE_ERROR" => {
                Some("use MSC_PCRE_LIMITS_EXCEEDED: patterns can fail in no other way")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Variable;

    #[test]
    fn every_name_finds_its_variable_in_any_case() {
        for &one in Variable::ALL {
            assert_eq!(Variable::named(one.name()), Some(one));
            assert_eq!(Variable::named(&one.name().to_ascii_lowercase()), Some(one));
            assert_eq!(Variable::refused(one.name()), None, "{}", one.name());
        }
    }

    #[test]
    fn no_name_stands_for_two_variables() {
        let mut names: Vec<_> = Variable::ALL.iter().map(|one| one.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Variable::ALL.len());
    }

    #[test]
    fn collections_are_what_has_names() {
        for one in [Variable::Args, Variable::Tx, Variable::Xml, Variable::MultipartPartHeaders] {
            assert!(one.is_collection(), "{}", one.name());
        }
        for one in [Variable::RequestUri, Variable::MatchedVar, Variable::ArgsCombinedSize] {
            assert!(!one.is_collection(), "{}", one.name());
        }
    }

    #[test]
    fn refused_names_say_why() {
        assert!(Variable::refused("script_filename").is_some_and(|why| why.contains("proxy")));
        assert!(Variable::refused("NOT_EVEN_THERE").is_none());
    }
}
