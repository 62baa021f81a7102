// The verbs that every client program has.
package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	libevent "github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
)

func verbs() map[string]verb {
	return map[string]verb{
		"connect": doDial, "dial": doDial, "reserve": doReserve, "identify": doIdentify, "ping": doPing,
		"transfer": doTransfer, "pace": doPace, "open": doOpen, "connections": doConnections, "close": doClose,
		"await-circuit-addr": doAwaitCircuitAddr, "await-own-protocol": doAwaitOwnProtocol, "crowd": doCrowd,
		"register": doRegister, "discover": doDiscover, "unregister": doUnregister,
		"raw-serve": doRawServe, "raw-connect": doRawConnect, "raw-write": doRawWrite, "raw-read": doRawRead,
		"raw-close-write": doRawCloseWrite, "raw-reset": doRawReset,
	}
}

func doDial(ctx context.Context, cmd *command) (fields, error) {
	info, err := peer.AddrInfoFromString(cmd.Addr)
	if err != nil {
		return nil, err
	}
	node.Network().(*swarm.Swarm).Backoff().Clear(info.ID)
	if err := node.Connect(network.WithAllowLimitedConn(ctx, "interop"), *info); err != nil {
		return nil, err
	}
	return describe(node.Network().ConnsToPeer(info.ID)[0]), nil
}

func doReserve(ctx context.Context, cmd *command) (fields, error) {
	info, err := peer.AddrInfoFromString(cmd.Addr)
	if err != nil {
		return nil, err
	}
	reservation, err := client.Reserve(ctx, node, *info)
	if err != nil {
		return nil, err
	}
	addrs := []string{}
	for _, addr := range reservation.Addrs {
		addrs = append(addrs, addr.String()+"/p2p-circuit/p2p/"+node.ID().String())
	}
	limit := fields(nil)
	if reservation.LimitDuration != 0 || reservation.LimitData != 0 {
		limit = fields{"seconds": reservation.LimitDuration.Seconds(), "bytes": reservation.LimitData}
	}
	return fields{"addrs": addrs, "limit": limit, "expire": reservation.Expiration.Unix(),
		"voucher": reservation.Voucher != nil}, nil
}

var identities sync.Map // peer id -> the newest EvtPeerIdentificationCompleted

func remember(e libevent.EvtPeerIdentificationCompleted) {
	identities.Store(e.Peer.String(), e)
}

// doIdentify tells what the identify exchange said that go-libp2p itself makes on each connection.
func doIdentify(ctx context.Context, cmd *command) (fields, error) {
	for {
		if found, ok := identities.Load(cmd.Peer); ok {
			return identified(found.(libevent.EvtPeerIdentificationCompleted)), nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("identify with %s: %w", cmd.Peer, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func identified(e libevent.EvtPeerIdentificationCompleted) fields {
	listen, protocols := []string{}, []string{}
	for _, addr := range e.ListenAddrs {
		listen = append(listen, addr.String())
	}
	for _, id := range e.Protocols {
		protocols = append(protocols, string(id))
	}
	observed := ""
	if e.ObservedAddr != nil {
		observed = e.ObservedAddr.String()
	}
	return fields{"agent": e.AgentVersion, "protocol_version": e.ProtocolVersion, "protocols": protocols,
		"listen": listen, "observed": observed, "signed_record": e.SignedPeerRecord != nil}
}

func doPing(ctx context.Context, cmd *command) (fields, error) {
	id, err := peer.Decode(cmd.Peer)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(network.WithAllowLimitedConn(ctx, "interop"))
	defer cancel()
	result := <-ping.Ping(ctx, node, id)
	return fields{"ms": float64(result.RTT.Microseconds()) / 1000}, result.Error
}

func doPace(_ context.Context, cmd *command) (fields, error) {
	bytesPerSecond.Store(int64(cmd.Rate))
	return nil, nil
}

func doOpen(ctx context.Context, cmd *command) (fields, error) {
	if cmd.AllowLimited {
		ctx = network.WithAllowLimitedConn(ctx, "interop")
	}
	s, err := openStream(ctx, cmd.Peer, cmd.Protocol)
	if err != nil {
		return nil, err
	}
	return nil, s.Close()
}

func openStream(ctx context.Context, to string, id string) (network.Stream, error) {
	remote, err := peer.Decode(to)
	if err != nil {
		return nil, err
	}
	return node.NewStream(network.WithNoDial(ctx, "interop"), remote, protocol.ID(id))
}

func doConnections(_ context.Context, cmd *command) (fields, error) {
	id, err := peer.Decode(cmd.Peer)
	if err != nil {
		return nil, err
	}
	list := []fields{}
	for _, c := range node.Network().ConnsToPeer(id) {
		list = append(list, describe(c))
	}
	return fields{"list": list}, nil
}

func describe(c network.Conn) fields {
	limit := fields(nil)
	if c.Stat().Limited {
		limit = fields{"seconds": 0, "bytes": 0}
		if duration, ok := c.Stat().Extra[client.StatLimitDuration].(time.Duration); ok {
			limit["seconds"] = duration.Seconds()
		}
		if data, ok := c.Stat().Extra[client.StatLimitData].(uint64); ok {
			limit["bytes"] = data
		}
	}
	return fields{"peer": c.RemotePeer().String(), "remote": c.RemoteMultiaddr().String(),
		"direction": strings.ToLower(c.Stat().Direction.String()), "limit": limit}
}

func doClose(_ context.Context, cmd *command) (fields, error) {
	id, err := peer.Decode(cmd.Peer)
	if err != nil {
		return nil, err
	}
	return nil, node.Network().ClosePeer(id)
}

// doAwaitCircuitAddr waits until the host itself advertises a circuit address.
func doAwaitCircuitAddr(ctx context.Context, _ *command) (fields, error) {
	updated, err := node.EventBus().Subscribe(new(libevent.EvtLocalAddressesUpdated))
	if err != nil {
		return nil, err
	}
	defer updated.Close()
	for {
		found := []string{}
		for _, addr := range node.Addrs() {
			if strings.Contains(addr.String(), "/p2p-circuit") {
				found = append(found, addr.String()+"/p2p/"+node.ID().String())
			}
		}
		if len(found) > 0 {
			return fields{"addrs": found}, nil
		}
		select {
		case <-updated.Out():
		case <-ctx.Done():
			return nil, fmt.Errorf("no circuit address: %w", ctx.Err())
		}
	}
}

// doAwaitOwnProtocol waits until the host itself offers a protocol.
func doAwaitOwnProtocol(ctx context.Context, cmd *command) (fields, error) {
	updated, err := node.EventBus().Subscribe(new(libevent.EvtLocalProtocolsUpdated))
	if err != nil {
		return nil, err
	}
	defer updated.Close()
	for !slices.Contains(node.Mux().Protocols(), protocol.ID(cmd.Protocol)) {
		select {
		case <-updated.Out():
		case <-ctx.Done():
			return nil, fmt.Errorf("no protocol %s: %w", cmd.Protocol, ctx.Err())
		}
	}
	return nil, nil
}
