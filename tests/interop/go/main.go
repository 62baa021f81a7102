// Interop client on go-libp2p. Verbs and events: ../README.md.
//
//	interop-go                   a host without listeners, relay client on
//	interop-go --autorelay ADDR  AutoRelay with ADDR as its static relay, reachability forced to private
//	interop-go --punch           with --autorelay: tries a direct connection beside each circuit
//	interop-go --raw             no relay client: the raw-* verbs speak hop and stop themselves
//	interop-go --seed N          a fixed identity
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	libevent "github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/autorelay"
	"github.com/libp2p/go-libp2p/p2p/host/observedaddrs"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const verbTimeout = 120 * time.Second

var node host.Host

func main() {
	autoRelay := flag.String("autorelay", "", "static relay to use with AutoRelay")
	punch := flag.Bool("punch", false, "with --autorelay: hole punching")
	raw := flag.Bool("raw", false, "leave the relay client out")
	seed := flag.Uint("seed", 0, "number that decides the identity; 0 is a random one")
	flag.Parse()
	var err error
	if node, err = libp2p.New(append(options(*autoRelay, *punch, *raw), identity(*seed))...); err != nil {
		fmt.Fprintln(os.Stderr, "starting the host:", err)
		os.Exit(1)
	}
	defer node.Close()
	watch()
	node.SetStreamHandler(transferProtocol, acceptTransfer)
	if *raw {
		node.SetStreamHandler(stopProtocol, handleRawStop)
	}
	say(fields{"event": "ready", "peer": node.ID().String()})
	serve(verbs())
}

func options(autoRelay string, punch, raw bool) []libp2p.Option {
	opts := []libp2p.Option{libp2p.Transport(tcp.NewTCPTransport), libp2p.DisableMetrics()}
	if raw {
		return append(opts, libp2p.NoListenAddrs)
	}
	if autoRelay == "" {
		return append(opts, libp2p.NoListenAddrs, libp2p.EnableRelay())
	}
	relay, err := peer.AddrInfoFromString(autoRelay)
	if err != nil {
		fmt.Fprintln(os.Stderr, "--autorelay:", err)
		os.Exit(2)
	}
	listen := "/ip4/127.0.0.1/tcp/0"
	if punch {
		listen = "/ip4/0.0.0.0/tcp/0"
		observedaddrs.ActivationThresh = 1 // the relay alone says how a host is seen
		opts = append(opts, libp2p.EnableHolePunching())
	}
	return append(opts, libp2p.ListenAddrStrings(listen), libp2p.ForceReachabilityPrivate(),
		libp2p.EnableAutoRelayWithStaticRelays([]peer.AddrInfo{*relay}, autorelay.WithBootDelay(0)))
}

func identity(seed uint) libp2p.Option {
	if seed == 0 {
		return libp2p.RandomIdentity
	}
	key, _, err := crypto.GenerateEd25519Key(bytes.NewReader(bytes.Repeat([]byte{byte(seed)}, 32)))
	if err != nil {
		panic(err)
	}
	return libp2p.Identity(key)
}

// watch turns the host's notifications into events.
func watch() {
	node.Network().Notify(&network.NotifyBundle{
		ConnectedF:    func(_ network.Network, c network.Conn) { announce("connected", c) },
		DisconnectedF: func(_ network.Network, c network.Conn) { announce("disconnected", c) },
	})
	identified, err := node.EventBus().Subscribe(new(libevent.EvtPeerIdentificationCompleted))
	if err != nil {
		panic(err)
	}
	go func() {
		for e := range identified.Out() {
			remember(e.(libevent.EvtPeerIdentificationCompleted))
		}
	}()
}

func announce(name string, c network.Conn) {
	object := describe(c)
	object["event"] = name
	say(object)
}
