//! The kernel's tables by netlink (rtnetlink(7)).

use std::io;
use std::net::IpAddr;

use ipnet::IpNet;
use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::address::{AddressAttribute, AddressMessage};
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourMessage, NeighbourState,
};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

use super::{Interface, Mac, Neighbour};

/// How often a table is read again that changed while it was read.
const TRIES: usize = 5;

/// This host's interfaces with their addresses.
pub(super) fn interfaces() -> io::Result<Vec<Interface>> {
    let links = dump(&RouteNetlinkMessage::GetLink(LinkMessage::default()))?;
    let mut interfaces: Vec<Interface> = links.into_iter().filter_map(interface).collect();
    for message in dump(&RouteNetlinkMessage::GetAddress(AddressMessage::default()))? {
        let RouteNetlinkMessage::NewAddress(message) = message else { continue };
        let index = message.header.index;
        let interface = interfaces.iter_mut().find(|interface| interface.index == index);
        if let (Some(interface), Some(address)) = (interface, address(&message)) {
            interface.addresses.push(address);
        }
    }
    Ok(interfaces)
}

fn interface(message: RouteNetlinkMessage) -> Option<Interface> {
    let RouteNetlinkMessage::NewLink(message) = message else { return None };
    let mut interface = Interface { index: message.header.index, ..Interface::default() };
    for attribute in message.attributes {
        match attribute {
            LinkAttribute::IfName(name) => interface.name = name,
            LinkAttribute::Address(octets) | LinkAttribute::PermAddress(octets) => {
                let mac = Mac::of_host(&octets).filter(|mac| !interface.macs.contains(mac));
                interface.macs.extend(mac);
            }
            _ => {}
        }
    }
    Some(interface)
}

/// On a point-to-point link `Address` is the peer's and `Local` one's own.
fn address(message: &AddressMessage) -> Option<IpNet> {
    let (mut local, mut any): (Option<IpAddr>, Option<IpAddr>) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(address) => local = Some(*address),
            AddressAttribute::Address(address) => any = Some(*address),
            _ => {}
        }
    }
    IpNet::new(local.or(any)?, message.header.prefix_len).ok()
}

/// The neighbours, IPv4 and IPv6, sorted.
pub(super) fn neighbours(interfaces: &[Interface]) -> io::Result<Vec<Neighbour>> {
    let all = dump(&RouteNetlinkMessage::GetNeighbour(NeighbourMessage::default()))?;
    let all = all.into_iter().filter_map(|message| neighbour(message, interfaces));
    let mut neighbours: Vec<Neighbour> = all.collect();
    neighbours.sort();
    Ok(neighbours)
}

fn neighbour(message: RouteNetlinkMessage, interfaces: &[Interface]) -> Option<Neighbour> {
    let RouteNetlinkMessage::NewNeighbour(message) = message else { return None };
    let state = message.header.state;
    // Who has not answered is nobody; what needs no answer is a group or this host.
    if matches!(state, NeighbourState::Incomplete | NeighbourState::Failed | NeighbourState::Noarp)
    {
        return None;
    }
    let (mut address, mut mac) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(is)) => {
                address = Some(IpAddr::V4(*is));
            }
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(is)) => {
                address = Some(IpAddr::V6(*is));
            }
            NeighbourAttribute::LinkLayerAddress(octets) => mac = Mac::of_host(octets),
            _ => {}
        }
    }
    let index = message.header.ifindex;
    let name = interfaces.iter().find(|interface| interface.index == index);
    Some(Neighbour {
        address: address?,
        mac: mac?,
        interface: name.map_or_else(|| format!("#{index}"), |interface| interface.name.clone()),
        state: state.to_string(),
    })
}

/// A whole table. One that changed while it was read is read again.
fn dump(request: &RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
    for _ in 0..TRIES {
        if let Some(table) = dump_once(request.clone())? {
            return Ok(table);
        }
    }
    Err(io::Error::other("the table changed each time while it was read"))
}

fn dump_once(request: RouteNetlinkMessage) -> io::Result<Option<Vec<RouteNetlinkMessage>>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_DUMP | NLM_F_REQUEST;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
    message.finalize();
    let mut octets = vec![0; message.buffer_len()];
    message.serialize(&mut octets);
    socket.send(&octets, 0)?;
    let mut table = Table::default();
    while !table.is_whole {
        let (datagram, _) = socket.recv_from_full()?;
        table.take(&datagram)?;
    }
    Ok((!table.is_torn).then_some(table.messages))
}

/// A table's messages as they come in.
#[derive(Default)]
struct Table {
    messages: Vec<RouteNetlinkMessage>,
    is_whole: bool,
    /// It changed in between: an entry may be missing.
    is_torn: bool,
}

impl Table {
    fn take(&mut self, datagram: &[u8]) -> io::Result<()> {
        let broken =
            |reason: &dyn std::fmt::Display| io::Error::other(format!("netlink: {reason}"));
        let mut rest = datagram;
        while !rest.is_empty() && !self.is_whole {
            let message = NetlinkMessage::<RouteNetlinkMessage>::deserialize(rest)
                .map_err(|error| broken(&error))?;
            self.is_torn |= message.header.flags & NLM_F_DUMP_INTR != 0;
            match message.payload {
                NetlinkPayload::Done(_) => self.is_whole = true,
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::InnerMessage(message) => self.messages.push(message),
                NetlinkPayload::Overrun(_) => return Err(broken(&"messages were lost")),
                _ => {}
            }
            let length = usize::try_from(message.header.length).unwrap_or(usize::MAX);
            // Messages begin at multiples of four octets.
            let next = length.max(1).checked_next_multiple_of(4).unwrap_or(usize::MAX);
            rest = rest.get(next..).unwrap_or_default();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use netlink_packet_core::{DoneMessage, ErrorMessage};

    use super::*;

    fn octets(payload: NetlinkPayload<RouteNetlinkMessage>, flags: u16) -> Vec<u8> {
        let mut header = NetlinkHeader::default();
        header.flags = flags;
        let mut message = NetlinkMessage::new(header, payload);
        message.finalize();
        let mut octets = vec![0; message.buffer_len()];
        message.serialize(&mut octets);
        octets
    }

    fn link(flags: u16) -> Vec<u8> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName("eth0".into()));
        message.attributes.push(LinkAttribute::Address(vec![2, 0, 0, 0, 0, 7]));
        octets(RouteNetlinkMessage::NewLink(message).into(), flags)
    }

    fn done() -> Vec<u8> {
        octets(NetlinkPayload::Done(DoneMessage::default()), 0)
    }

    #[test]
    fn a_table_in_several_datagrams() {
        let mut table = Table::default();
        table.take(&[link(0), link(0)].concat()).expect("two");
        assert!(!table.is_whole);
        table.take(&[link(0), done(), link(0)].concat()).expect("one and the end");
        assert_eq!((table.messages.len(), table.is_whole, table.is_torn), (3, true, false));
        let interface = table.messages.into_iter().find_map(interface).expect("an interface");
        assert_eq!(interface.name, "eth0");
        assert_eq!(interface.macs, ["02:00:00:00:00:07".parse().expect("a MAC")]);
    }

    #[test]
    fn a_table_that_changed_is_torn() {
        let mut table = Table::default();
        table.take(&[link(NLM_F_DUMP_INTR), done()].concat()).expect("a table");
        assert!(table.is_torn);
    }

    #[test]
    fn a_refusal_and_half_a_message_are_errors() {
        let mut refusal = ErrorMessage::default();
        refusal.code = std::num::NonZeroI32::new(-13);
        let refused = Table::default().take(&octets(NetlinkPayload::Error(refusal), 0));
        assert_eq!(refused.expect_err("refused").raw_os_error(), Some(13));
        let whole = link(0);
        for end in 1..whole.len() {
            assert!(Table::default().take(&whole[..end]).is_err(), "{end} octets");
        }
    }

    #[test]
    fn groups_and_who_is_silent_are_no_neighbours() {
        let mac = [0, 0x21, 0x59, 0x96, 0x75, 0x7f];
        let message = |state, mac: &[u8]| {
            let mut message = NeighbourMessage::default();
            message.header.state = state;
            message.header.ifindex = 7;
            let address = NeighbourAddress::Inet([10, 0, 0, 1].into());
            message.attributes.push(NeighbourAttribute::Destination(address));
            message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.to_vec()));
            neighbour(RouteNetlinkMessage::NewNeighbour(message), &[])
        };
        let one = message(NeighbourState::Stale, &mac).expect("a neighbour");
        assert_eq!((one.interface.as_str(), one.state.as_str()), ("#7", "stale"));
        for state in [NeighbourState::Noarp, NeighbourState::Failed, NeighbourState::Incomplete] {
            assert_eq!(message(state, &mac), None);
        }
        for group in [&[0x33, 0x33, 0, 0, 0, 1][..], &[0xff; 6], &[0; 6], &mac[..4]] {
            assert_eq!(message(NeighbourState::Stale, group), None);
        }
    }
}
