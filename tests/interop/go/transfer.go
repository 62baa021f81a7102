// The bulk protocol of all client programs. The opener writes how many bytes each side shall send
// (8 bytes, big-endian); then both send and receive at once, and the opener closes when it has all.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
)

const transferProtocol = "/interop/transfer/1.0.0"
const block = 64 * 1024

var bytesPerSecond atomic.Int64 // how fast a transfer reads; 0 is as fast as it can

func openTransfer(s network.Stream, size int) (fields, error) {
	header := binary.BigEndian.AppendUint64(nil, uint64(size))
	if _, err := s.Write(header); err != nil {
		return nil, fmt.Errorf("writing the transfer header: %w", err)
	}
	result, err := exchange(s, size)
	if err != nil {
		s.Reset()
		return nil, err
	}
	return result, s.Close()
}

func acceptTransfer(s network.Stream) {
	peer := s.Conn().RemotePeer().String()
	result, err := acceptExchange(s)
	if err != nil {
		s.Reset()
		event("transfer-failed", fields{"peer": peer, "text": err.Error()})
		return
	}
	result["peer"] = peer
	event("transfer", result)
	io.Copy(io.Discard, s) // until the opener has everything
	s.Close()
}

func acceptExchange(s network.Stream) (fields, error) {
	header := make([]byte, 8)
	if _, err := io.ReadFull(s, header); err != nil {
		return nil, fmt.Errorf("reading the transfer header: %w", err)
	}
	return exchange(s, int(binary.BigEndian.Uint64(header)))
}

func exchange(s network.Stream, size int) (fields, error) {
	type outcome struct {
		sum string
		err error
	}
	sending := make(chan outcome, 1)
	go func() {
		sum, err := sendBytes(s, size)
		sending <- outcome{sum, err}
	}()
	received, err := receiveBytes(s, size)
	if err != nil {
		return nil, err
	}
	sent := <-sending
	if sent.err != nil {
		return nil, sent.err
	}
	return fields{"bytes": size, "sent": sent.sum, "received": received}, nil
}

func sendBytes(s network.Stream, size int) (string, error) {
	sum := sha256.New()
	random := rand.NewChaCha8(sha256.Sum256([]byte(time.Now().String())))
	buffer := make([]byte, block)
	for left := size; left > 0; {
		part := buffer[:min(left, block)]
		random.Read(part)
		sum.Write(part)
		if _, err := s.Write(part); err != nil {
			return "", fmt.Errorf("sending, %d of %d bytes left: %w", left, size, err)
		}
		left -= len(part)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func receiveBytes(s network.Stream, size int) (string, error) {
	sum := sha256.New()
	buffer := make([]byte, block)
	for left := size; left > 0; {
		n, err := s.Read(buffer[:min(left, block)])
		sum.Write(buffer[:n])
		left -= n
		if err != nil && left > 0 {
			return "", fmt.Errorf("receiving, %d of %d bytes left: %w", left, size, err)
		}
		if rate := bytesPerSecond.Load(); rate > 0 {
			time.Sleep(time.Duration(n) * time.Second / time.Duration(rate))
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

func doTransfer(ctx context.Context, cmd *command) (fields, error) {
	if cmd.AllowLimited {
		ctx = network.WithAllowLimitedConn(ctx, "interop")
	}
	s, err := openStream(ctx, cmd.Peer, transferProtocol)
	if err != nil {
		return nil, err
	}
	return openTransfer(s, cmd.Bytes)
}
