// Hop and stop spoken by hand, so that a circuit's bare bytes can be watched: half-closes, resets,
// and data that travels in one packet with the STATUS messages.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/pb"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/proto"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/util"
	protobuf "google.golang.org/protobuf/proto"
)

const stopProtocol = proto.ProtoIDv2Stop

var raw = struct {
	sync.Mutex
	circuits []network.Stream
	answer   string // what handleRawStop does: ok, mute or refuse
	first    string // what it sends in one write with STATUS OK
}{answer: "ok"}

func doRawServe(_ context.Context, cmd *command) (fields, error) {
	raw.Lock()
	defer raw.Unlock()
	raw.answer, raw.first = cmd.Answer, cmd.Data
	return nil, nil
}

func handleRawStop(s network.Stream) {
	msg := &pb.StopMessage{}
	if err := readMessage(s, msg); err != nil {
		event("raw-stop-failed", fields{"text": err.Error()})
		s.Reset()
		return
	}
	raw.Lock()
	answer, first := raw.answer, raw.first
	raw.Unlock()
	from, _ := peer.IDFromBytes(msg.GetPeer().GetId())
	event("raw-stop", fields{"from": from.String(), "addrs": len(msg.GetPeer().GetAddrs()),
		"limited": msg.GetLimit() != nil, "circuit": keep(s)})
	switch answer {
	case "ok":
		writeMessage(s, stopStatus(pb.Status_OK), first)
	case "refuse":
		writeMessage(s, stopStatus(pb.Status_PERMISSION_DENIED), "")
		s.Close()
	}
}

func stopStatus(status pb.Status) *pb.StopMessage {
	return &pb.StopMessage{Type: pb.StopMessage_STATUS.Enum(), Status: status.Enum()}
}

// doRawConnect sends CONNECT, with data behind it in the same write, and reads the answer.
func doRawConnect(ctx context.Context, cmd *command) (fields, error) {
	target, err := peer.Decode(cmd.Target)
	if err != nil {
		return nil, err
	}
	s, err := openStream(ctx, cmd.Peer, string(proto.ProtoIDv2Hop))
	if err != nil {
		return nil, err
	}
	s.SetDeadline(time.Now().Add(30 * time.Second))
	connect := &pb.HopMessage{Type: pb.HopMessage_CONNECT.Enum(), Peer: &pb.Peer{Id: []byte(target)}}
	if err := writeMessage(s, connect, cmd.Data); err != nil {
		return nil, err
	}
	status := &pb.HopMessage{}
	if err := readMessage(s, status); err != nil {
		return nil, err
	}
	if status.GetStatus() != pb.Status_OK {
		s.Reset()
		return nil, fmt.Errorf("CONNECT refused: %s", status.GetStatus())
	}
	return fields{"circuit": keep(s), "limited": status.GetLimit() != nil}, nil
}

func keep(s network.Stream) int {
	raw.Lock()
	defer raw.Unlock()
	raw.circuits = append(raw.circuits, s)
	return len(raw.circuits) - 1
}

func circuit(cmd *command) network.Stream {
	raw.Lock()
	defer raw.Unlock()
	return raw.circuits[cmd.Circuit]
}

func doRawWrite(_ context.Context, cmd *command) (fields, error) {
	_, err := circuit(cmd).Write([]byte(cmd.Data))
	return nil, err
}

// doRawRead reads cmd.Bytes bytes, or everything if that is 0, and says how the reading ended.
func doRawRead(_ context.Context, cmd *command) (fields, error) {
	s := circuit(cmd)
	s.SetReadDeadline(time.Now().Add(20 * time.Second))
	in := io.Reader(s)
	if cmd.Bytes > 0 {
		in = io.LimitReader(s, int64(cmd.Bytes))
	}
	got := bytes.Buffer{}
	_, err := got.ReadFrom(in)
	switch {
	case errors.Is(err, network.ErrReset):
		return fields{"data": got.String(), "end": "reset"}, nil
	case err != nil:
		return nil, err
	case cmd.Bytes > 0 && got.Len() == cmd.Bytes:
		return fields{"data": got.String(), "end": ""}, nil
	}
	return fields{"data": got.String(), "end": "eof"}, nil
}

func doRawCloseWrite(_ context.Context, cmd *command) (fields, error) {
	return nil, circuit(cmd).CloseWrite()
}

func doRawReset(_ context.Context, cmd *command) (fields, error) {
	return nil, circuit(cmd).Reset()
}

// readMessage reads no byte beyond the message: what follows belongs to the circuit.
func readMessage(s network.Stream, msg protobuf.Message) error {
	reader := util.NewDelimitedReader(s, 4096)
	defer reader.Close()
	return reader.ReadMsg(msg)
}

func writeMessage(s network.Stream, msg protobuf.Message, behind string) error {
	out := bytes.Buffer{}
	if err := util.NewDelimitedWriter(&out).WriteMsg(msg); err != nil {
		return err
	}
	out.WriteString(behind)
	_, err := s.Write(out.Bytes())
	return err
}
