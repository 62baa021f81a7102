// A relay on go-libp2p with every limit off: to measure beside dusk-relay. Prints its address and runs until it
// is ended. On loopback only.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/connmgr"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/relay"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

const many = 1 << 24

func unlimited() relay.Resources {
	resources := relay.DefaultResources()
	resources.Limit = nil
	resources.ReservationTTL = 24 * time.Hour
	resources.MaxReservations = many
	resources.MaxCircuits = many
	resources.MaxReservationsPerPeer = many
	resources.MaxReservationsPerIP = many
	resources.MaxReservationsPerASN = many
	return resources
}

func run() error {
	host, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.ConnectionManager(&connmgr.NullConnMgr{}),
		libp2p.DisableRelay(),
	)
	if err != nil {
		return err
	}
	if _, err := relay.New(host, relay.WithResources(unlimited()), relay.WithInfiniteLimits()); err != nil {
		return err
	}
	fmt.Printf("  relay address: %s/p2p/%s\n", host.Addrs()[0], host.ID())
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, os.Interrupt)
	<-end
	return host.Close()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
