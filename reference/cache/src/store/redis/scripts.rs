//! The changes, as Lua: each is carried out by Redis as a whole, with nothing in between.
//!
//! A Redis that is full refuses commands that take memory, but not what a script does after its
//! first other change. So what may be refused comes first where it must not exceed the bound, and
//! after an `UNLINK` where it has to succeed.
//!
//! What stores is called by its digest. What removes is sent as a text each time: a Redis that has
//! forgotten its scripts removes all the same.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Pipeline, RedisResult};

/// Sets a time to live that other variants may only have lengthened.
macro_rules! with_keep {
    ($script:expr) => {
        concat!(
            "local function keep(key, ms) ",
            "if redis.call('PTTL', key) < tonumber(ms) then redis.call('PEXPIRE', key, ms) end end\n",
            $script
        )
    };
}

/// KEYS: history, responses. ARGV: epoch and count of the history at the request, marks of the URL and
/// of its origin, variant, record, time to live, most variants and most bytes of the URL, the latest Date
/// and arrival that it may stand after, where they lie in a record, superseded variants. 1 if stored, 0
/// if the URL was removed meanwhile, or that is not known, or a later response came meanwhile. If there is no
/// room, what would have left goes all the same: there is a newer response than that. If many that
/// did not know of each other came at once and are too many together, some of the others leave.
const PUT: &str = with_keep!(
    "
local since = tonumber(ARGV[2])
local now = redis.pcall('HMGET', KEYS[1], 'epoch', 'count', 'all', ARGV[3], ARGV[4])
if now.err or now[1] ~= ARGV[1] or (tonumber(now[2]) or -1) < since then return 0 end
for at = 3, 5 do if now[at] and tonumber(now[at]) > since then return 0 end end
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('UNLINK', KEYS[2]) end
local there = kind == 'hash' and redis.call('HGET', KEYS[2], ARGV[5])
if there and #there >= tonumber(ARGV[12]) + 7 then
    local date, arrival = struct.unpack('<i8', there, ARGV[12]), struct.unpack('<i8', there, ARGV[13])
    local latest = tonumber(ARGV[10])
    if date > latest or date == latest and arrival > tonumber(ARGV[11]) then return 0 end
end
local set = redis.pcall('HSET', KEYS[2], ARGV[5], ARGV[6])
local failed = type(set) == 'table' and set.err
for at = 14, #ARGV do
    if ARGV[at] ~= ARGV[5] then redis.call('HDEL', KEYS[2], ARGV[at]) end
end
if failed then
    redis.call('HDEL', KEYS[2], ARGV[5])
    return set
end
local names, sizes, sum = redis.call('HKEYS', KEYS[2]), {}, 0
for at = 1, #names do
    sizes[at] = redis.call('HSTRLEN', KEYS[2], names[at])
    sum = sum + sizes[at]
end
local count = #names
for at = 1, #names do
    if count <= tonumber(ARGV[8]) and sum <= tonumber(ARGV[9]) then break end
    if names[at] ~= ARGV[5] then
        redis.call('HDEL', KEYS[2], names[at])
        count, sum = count - 1, sum - sizes[at]
    end
end
keep(KEYS[2], ARGV[7])
return 1
"
);

/// KEYS: responses. ARGV: old variant, its digest, where the digest begins and ends, new variant,
/// record, time to live. 1 if the old one was still there.
const REPLACE: &str = with_keep!(
    "
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or string.sub(old, ARGV[3], ARGV[4]) ~= ARGV[2] then return 0 end
local set = redis.pcall('HSET', KEYS[1], ARGV[5], ARGV[6])
local failed = type(set) == 'table' and set.err
if failed or ARGV[1] ~= ARGV[5] then redis.call('HDEL', KEYS[1], ARGV[1]) end
if failed then return set end
keep(KEYS[1], ARGV[7])
return 1
"
);

/// KEYS: responses. ARGV: variant, its digest, where the digest begins and ends. 1 if removed.
const DISCARD: &str = "
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or string.sub(old, ARGV[3], ARGV[4]) ~= ARGV[2] then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
";

/// KEYS: history. ARGV: epoch for a new one, epoch (or nothing) and count that are known. Epoch and
/// count, and 1 if that is the history that was there; 0 if there was none, or one from before what is
/// known. That goes on with what is known, so that nothing is stored that was asked for until now.
pub(super) const BEGIN: &str = "
local function digits(name)
    local text = redis.pcall('HGET', KEYS[1], name)
    return type(text) == 'string' and string.match(text, '^%d+$')
end
local epoch, count = digits('epoch'), digits('count')
local is_whole = epoch and count
if is_whole and (epoch ~= ARGV[2] or tonumber(count) >= tonumber(ARGV[3])) then
    return {epoch, count, 1}
end
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1], 'epoch', is_whole and epoch or ARGV[1], 'count', ARGV[3])
count = redis.call('HINCRBY', KEYS[1], 'count', 1)
redis.call('HSET', KEYS[1], 'all', count)
return {redis.call('HGET', KEYS[1], 'epoch'), count, 0}
";

/// KEYS: history, responses. ARGV: mark of the URL. The number of responses, epoch and count.
pub(super) const REMOVE: &str = "
local responses = redis.pcall('HLEN', KEYS[2])
redis.call('UNLINK', KEYS[2])
local count = redis.call('HINCRBY', KEYS[1], 'count', 1)
redis.call('HSET', KEYS[1], ARGV[1], count)
responses = type(responses) == 'number' and responses or 1
return {responses, redis.call('HGET', KEYS[1], 'epoch'), count}
";

/// KEYS: history. ARGV: mark of origin or all. Marks that many URLs are about to be removed. 0, epoch
/// and count.
pub(super) const MARK_MANY: &str = "
redis.call('HDEL', KEYS[1], ARGV[1])
local count = redis.call('HINCRBY', KEYS[1], 'count', 1)
redis.call('HSET', KEYS[1], ARGV[1], count)
return {0, redis.call('HGET', KEYS[1], 'epoch'), count}
";

/// KEYS: the responses of some URLs. The number of responses.
pub(super) const SWEEP: &str = "
local sum = 0
for at = 1, #KEYS do
    local count = redis.pcall('HLEN', KEYS[at])
    sum = sum + (type(count) == 'number' and count or 1)
end
redis.call('UNLINK', unpack(KEYS))
return sum
";

/// The scripts as this Redis knows them, by their digests.
#[derive(Clone, Debug)]
pub(super) struct Scripts {
    pub(super) put: String,
    pub(super) replace: String,
    pub(super) discard: String,
}

impl Scripts {
    /// Hands the scripts over; they stay there until Redis is restarted.
    pub(super) async fn load(connection: &mut MultiplexedConnection) -> RedisResult<Self> {
        let mut pipeline = Pipeline::new();
        for script in [PUT, REPLACE, DISCARD] {
            pipeline.cmd("SCRIPT").arg("LOAD").arg(script);
        }
        let (put, replace, discard) = pipeline.query_async(connection).await?;
        Ok(Self { put, replace, discard })
    }
}

/// A call of a script that Redis knows, by its digest.
pub(super) fn call(digest: &str, keys: &[Vec<u8>], arguments: &[&[u8]]) -> Cmd {
    command("EVALSHA", digest, keys, arguments)
}

/// A call of a script that is sent along.
pub(super) fn evaluate(script: &str, keys: &[Vec<u8>], arguments: &[&[u8]]) -> Cmd {
    command("EVAL", script, keys, arguments)
}

fn command(name: &str, script: &str, keys: &[Vec<u8>], arguments: &[&[u8]]) -> Cmd {
    let size: usize = keys.iter().map(Vec::len).chain(arguments.iter().map(|a| a.len())).sum();
    let count = 3 + keys.len() + arguments.len();
    let mut command = Cmd::with_capacity(count, size + script.len() + 64);
    command.arg(name).arg(script).arg(keys.len());
    for key in keys {
        command.arg(&key[..]);
    }
    for argument in arguments {
        command.arg(*argument);
    }
    command
}
