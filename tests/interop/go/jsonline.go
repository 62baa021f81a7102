// The command channel: one JSON object a line on stdin, answers and events on stdout.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/multiformats/go-multistream"
)

type fields = map[string]any

// command holds every argument of every verb.
type command struct {
	ID           int      `json:"id"`
	Do           string   `json:"do"`
	Addr         string   `json:"addr"`
	Peer         string   `json:"peer"`
	Protocol     string   `json:"protocol"`
	AllowLimited bool     `json:"allow_limited"`
	Bytes        int      `json:"bytes"`
	Rate         int      `json:"bytes_per_second"`
	Ns           *string  `json:"ns"`
	Ttl          *uint64  `json:"ttl"`
	Limit        *uint64  `json:"limit"`
	Cookie       *string  `json:"cookie"`
	OmitType     bool     `json:"omit_type"`
	Addrs        []string `json:"addrs"`
	Circuit      int      `json:"circuit"`
	Data         string   `json:"data"`
	Answer       string   `json:"answer"`
	Target       string   `json:"target"`
	Foreign      bool     `json:"foreign"`
	Seconds      int      `json:"seconds"`
	Count        int      `json:"count"`
}

type verb func(context.Context, *command) (fields, error)

var output sync.Mutex

func say(object fields) {
	line, err := json.Marshal(object)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	if _, err := os.Stdout.Write(append(line, '\n')); err != nil {
		os.Exit(1) // the runner is gone
	}
}

func event(name string, with fields) {
	object := fields{"event": name}
	for key, value := range with {
		object[key] = value
	}
	say(object)
}

// serve runs each command on its own, so that several can be under way at once.
func serve(verbs map[string]verb) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		cmd := &command{}
		if err := json.Unmarshal(lines.Bytes(), cmd); err != nil {
			panic(err)
		}
		if cmd.Do == "quit" {
			say(fields{"id": cmd.ID, "ok": fields{}})
			return
		}
		go answer(verbs, cmd)
	}
}

func answer(verbs map[string]verb, cmd *command) {
	result, err := fields(nil), error(nil)
	if do, known := verbs[cmd.Do]; known {
		limit := verbTimeout
		if cmd.Seconds > 0 {
			limit = time.Duration(cmd.Seconds) * time.Second
		}
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		result, err = do(ctx, cmd)
	} else {
		err = fmt.Errorf("NO_VERB: %s", cmd.Do)
	}
	if err != nil {
		say(fields{"id": cmd.ID, "error": fields{"code": errorCode(err), "text": err.Error()}})
		return
	}
	if result == nil {
		result = fields{}
	}
	say(fields{"id": cmd.ID, "ok": result})
}

var statusName = regexp.MustCompile(`NO_VERB|NO_RESERVATION|CONNECTION_FAILED|RESOURCE_LIMIT_EXCEEDED|` +
	`PERMISSION_DENIED|RESERVATION_REFUSED|E_[A-Z_]+`)

// errorCode gives the names that all client programs share.
func errorCode(err error) string {
	var unsupported multistream.ErrNotSupported[string]
	switch {
	case errors.Is(err, network.ErrLimitedConn):
		return "LIMITED"
	case errors.As(err, &unsupported) || strings.Contains(err.Error(), "protocols not supported"):
		return "UNSUPPORTED"
	case errors.Is(err, context.DeadlineExceeded):
		return "TIMEOUT"
	}
	if name := statusName.FindString(err.Error()); name != "" {
		return name
	}
	return "OTHER"
}
