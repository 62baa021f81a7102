// A rendezvous client of the standard flavour: records and envelopes are go-libp2p's, the messages
// of /rendezvous/1.0.0 are written here.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/multiformats/go-varint"
	"google.golang.org/protobuf/encoding/protowire"
)

const rendezvousProtocol = "/rendezvous/1.0.0"
const maxAnswer = 1 << 20

// Message.type, and the fields of Message that hold each kind's body.
const (
	typeRegister, typeUnregister, typeDiscover             = 0, 2, 3
	bodyRegister, bodyRegisterResponse, bodyUnregister     = 2, 3, 4
	bodyDiscover, bodyDiscoverResponse                     = 5, 6
	registerNs, registerRecord, registerTtl                = 1, 2, 3
	discoverNs, discoverLimit, discoverCookie              = 1, 2, 3
	answerRegistrations, answerCookie, answerDiscoverState = 1, 2, 3
)

var statusNames = map[uint64]string{0: "OK", 100: "E_INVALID_NAMESPACE", 101: "E_INVALID_SIGNED_PEER_RECORD",
	102: "E_INVALID_TTL", 103: "E_INVALID_COOKIE", 200: "E_NOT_AUTHORIZED", 300: "E_INTERNAL_ERROR", 400: "E_UNAVAILABLE"}

func doRegister(ctx context.Context, cmd *command) (fields, error) {
	envelope, err := signedRecord(cmd.Addrs, cmd.Foreign)
	if err != nil {
		return nil, err
	}
	answer, err := request(ctx, cmd.Peer, registration(cmd, envelope), leaveOpen)
	if err != nil {
		return nil, err
	}
	return registered(answer)
}

func registration(cmd *command, envelope []byte) []byte {
	body := optionalString(nil, registerNs, cmd.Ns)
	body = protowire.AppendTag(body, registerRecord, protowire.BytesType)
	body = protowire.AppendBytes(body, envelope)
	body = optionalNumber(body, registerTtl, cmd.Ttl)
	return message(typeRegister, bodyRegister, body, cmd.OmitType)
}

func registered(answer []byte) (fields, error) {
	response := parse(parse(answer).bytes(bodyRegisterResponse))
	if status := response.number(1); status != 0 {
		return nil, fmt.Errorf("%s: %s", statusNames[status], response.bytes(2))
	}
	return fields{"ttl": response.number(3)}, nil
}

func doDiscover(ctx context.Context, cmd *command) (fields, error) {
	body := optionalString(nil, discoverNs, cmd.Ns)
	body = optionalNumber(body, discoverLimit, cmd.Limit)
	if cmd.Cookie != nil {
		cookie, err := hex.DecodeString(*cmd.Cookie)
		if err != nil {
			return nil, err
		}
		body = protowire.AppendTag(body, discoverCookie, protowire.BytesType)
		body = protowire.AppendBytes(body, cookie)
	}
	answer, err := request(ctx, cmd.Peer, message(typeDiscover, bodyDiscover, body, false), leaveOpen)
	if err != nil {
		return nil, err
	}
	return discovered(parse(parse(answer).bytes(bodyDiscoverResponse)))
}

func doUnregister(ctx context.Context, cmd *command) (fields, error) {
	body := optionalString(nil, 1, cmd.Ns)
	_, err := request(ctx, cmd.Peer, message(typeUnregister, bodyUnregister, body, false), network.Stream.CloseWrite)
	if errors.Is(err, io.EOF) { // the relay has no answer to that, and ends its side too
		return nil, nil
	}
	if err == nil {
		err = errors.New("UNREGISTER was answered")
	}
	return nil, err
}

func discovered(response parsed) (fields, error) {
	if status := response.number(answerDiscoverState); status != 0 {
		return nil, fmt.Errorf("%s: %s", statusNames[status], response.bytes(4))
	}
	records := []fields{}
	for _, one := range response.all(answerRegistrations) {
		found, err := openRegistration(parse(one))
		if err != nil {
			return nil, err
		}
		records = append(records, found)
	}
	return fields{"records": records, "cookie": hex.EncodeToString(response.bytes(answerCookie))}, nil
}

// openRegistration verifies a registration as a strict client does.
func openRegistration(registration parsed) (fields, error) {
	if !registration.has(registerNs) || !registration.has(registerTtl) {
		return nil, errors.New("registration without ns or ttl")
	}
	_, untyped, err := record.ConsumeEnvelope(registration.bytes(registerRecord), peer.PeerRecordEnvelopeDomain)
	if err != nil {
		return nil, fmt.Errorf("record in the answer: %w", err)
	}
	rec := untyped.(*peer.PeerRecord)
	addrs := []string{}
	for _, addr := range rec.Addrs {
		addrs = append(addrs, addr.String())
	}
	return fields{"peer": rec.PeerID.String(), "ns": string(registration.bytes(registerNs)),
		"ttl": registration.number(registerTtl), "addrs": addrs}, nil
}

// signedRecord makes a record of this host or, for `foreign`, of somebody else.
func signedRecord(addrs []string, foreign bool) ([]byte, error) {
	key, owner := node.Peerstore().PrivKey(node.ID()), node.ID()
	if foreign {
		key, _, _ = crypto.GenerateEd25519Key(rand.Reader)
		owner, _ = peer.IDFromPrivateKey(key)
	}
	info := peer.AddrInfo{ID: owner}
	for _, text := range addrs {
		addr, err := ma.NewMultiaddr(text)
		if err != nil {
			return nil, err
		}
		info.Addrs = append(info.Addrs, addr)
	}
	return seal(peer.PeerRecordFromAddrInfo(info), key)
}

func seal(rec record.Record, key crypto.PrivKey) ([]byte, error) {
	envelope, err := record.Seal(rec, key)
	if err != nil {
		return nil, err
	}
	return envelope.Marshal()
}

// legacyRecord is a peer record signed as rust-libp2p does.
type legacyRecord struct{ *peer.PeerRecord }

func (legacyRecord) Domain() string { return "libp2p-routing-state" }
func (legacyRecord) Codec() []byte  { return []byte("/libp2p/routing-state-record") }

func leaveOpen(network.Stream) error { return nil }

// request makes one request on a stream of its own and resets the stream once it has the answer;
// `after` says what becomes of the own direction once the request is out.
func request(ctx context.Context, to string, msg []byte, after func(network.Stream) error) ([]byte, error) {
	remote, err := peer.Decode(to)
	if err != nil {
		return nil, err
	}
	return requestFrom(ctx, node, remote, msg, after)
}

func requestFrom(ctx context.Context, from host.Host, to peer.ID, msg []byte, after func(network.Stream) error) ([]byte, error) {
	s, err := from.NewStream(network.WithNoDial(ctx, "interop"), to, rendezvousProtocol)
	if err != nil {
		return nil, err
	}
	defer s.Reset()
	s.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := s.Write(append(varint.ToUvarint(uint64(len(msg))), msg...)); err != nil {
		return nil, err
	}
	if err := after(s); err != nil {
		return nil, err
	}
	return readFramed(s)
}

func readFramed(s network.Stream) ([]byte, error) {
	in := bufio.NewReader(s)
	size, err := varint.ReadUvarint(in)
	if err != nil {
		return nil, err
	}
	if size > maxAnswer {
		return nil, fmt.Errorf("answer of %d bytes", size)
	}
	answer := make([]byte, size)
	_, err = io.ReadFull(in, answer)
	return answer, err
}
