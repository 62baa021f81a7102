// Many hosts in one program: the clients behind one address.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

const crowdTries = 4 // as the dusk client: again after 2, 4, 8 seconds

// doCrowd lets `count` hosts connect and reserve, all at once, and keeps them until the program ends. With
// `ns` each registers there too, with a record signed in rust-libp2p's way.
func doCrowd(ctx context.Context, cmd *command) (fields, error) {
	relay, err := peer.AddrInfoFromString(cmd.Addr)
	if err != nil {
		return nil, err
	}
	var all sync.WaitGroup
	outcomes := make(chan error, cmd.Count)
	tries := make(chan int, cmd.Count)
	for range cmd.Count {
		all.Go(func() {
			used, err := joinCrowd(ctx, *relay, cmd)
			tries <- used
			outcomes <- err
		})
	}
	all.Wait()
	close(tries)
	close(outcomes)
	reserved, most, last := 0, 0, ""
	for err := range outcomes {
		if err == nil {
			reserved++
		} else {
			last = err.Error()
		}
	}
	for used := range tries {
		most = max(most, used)
	}
	return fields{"reserved": reserved, "most_tries": most, "last_error": last}, nil
}

func joinCrowd(ctx context.Context, relay peer.AddrInfo, cmd *command) (int, error) {
	one, err := libp2p.New(libp2p.Transport(tcp.NewTCPTransport), libp2p.DisableMetrics(), libp2p.NoListenAddrs)
	if err != nil {
		return 0, fmt.Errorf("starting a host: %w", err)
	}
	for try := 1; ; try++ {
		if err = joinOnce(ctx, one, relay, cmd); err == nil || try == crowdTries {
			return try, err
		}
		one.Network().(*swarm.Swarm).Backoff().Clear(relay.ID)
		time.Sleep(time.Second << try)
	}
}

func joinOnce(ctx context.Context, one host.Host, relay peer.AddrInfo, cmd *command) error {
	if err := one.Connect(ctx, relay); err != nil {
		return err
	}
	if _, err := client.Reserve(ctx, one, relay); err != nil {
		return err
	}
	if cmd.Ns == nil {
		return nil
	}
	return registerLegacy(ctx, one, relay.ID, cmd)
}

func registerLegacy(ctx context.Context, one host.Host, relay peer.ID, cmd *command) error {
	addr, err := ma.NewMultiaddr(cmd.Addr + "/p2p-circuit/p2p/" + one.ID().String())
	if err != nil {
		return err
	}
	rec := peer.PeerRecordFromAddrInfo(peer.AddrInfo{ID: one.ID(), Addrs: []ma.Multiaddr{addr}})
	envelope, err := seal(legacyRecord{rec}, one.Peerstore().PrivKey(one.ID()))
	if err != nil {
		return err
	}
	answer, err := requestFrom(ctx, one, relay, registration(cmd, envelope), leaveOpen)
	if err != nil {
		return err
	}
	_, err = registered(answer)
	return err
}
