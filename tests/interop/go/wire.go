// Just enough protobuf to write and read the rendezvous messages.
package main

import "google.golang.org/protobuf/encoding/protowire"

func message(kind uint64, field protowire.Number, body []byte, omitType bool) []byte {
	out := []byte{}
	if !omitType {
		out = protowire.AppendTag(out, 1, protowire.VarintType)
		out = protowire.AppendVarint(out, kind)
	}
	out = protowire.AppendTag(out, field, protowire.BytesType)
	return protowire.AppendBytes(out, body)
}

func optionalString(out []byte, field protowire.Number, value *string) []byte {
	if value == nil {
		return out
	}
	return protowire.AppendString(protowire.AppendTag(out, field, protowire.BytesType), *value)
}

func optionalNumber(out []byte, field protowire.Number, value *uint64) []byte {
	if value == nil {
		return out
	}
	return protowire.AppendVarint(protowire.AppendTag(out, field, protowire.VarintType), *value)
}

// parsed is a message taken apart: each field's values, numbers and bytes apart.
type parsed struct {
	numbers map[protowire.Number]uint64
	bodies  map[protowire.Number][][]byte
}

func parse(in []byte) parsed {
	out := parsed{map[protowire.Number]uint64{}, map[protowire.Number][][]byte{}}
	for len(in) > 0 {
		field, kind, n := protowire.ConsumeTag(in)
		if n < 0 {
			return out
		}
		in = in[n:]
		switch kind {
		case protowire.VarintType:
			out.numbers[field], n = protowire.ConsumeVarint(in)
		case protowire.BytesType:
			var body []byte
			body, n = protowire.ConsumeBytes(in)
			out.bodies[field] = append(out.bodies[field], body)
		default:
			n = protowire.ConsumeFieldValue(field, kind, in)
		}
		if n < 0 {
			return out
		}
		in = in[n:]
	}
	return out
}

func (m parsed) number(field protowire.Number) uint64 { return m.numbers[field] }
func (m parsed) all(field protowire.Number) [][]byte  { return m.bodies[field] }

func (m parsed) has(field protowire.Number) bool {
	_, isNumber := m.numbers[field]
	return isNumber || len(m.bodies[field]) > 0
}

func (m parsed) bytes(field protowire.Number) []byte {
	if all := m.bodies[field]; len(all) > 0 {
		return all[len(all)-1]
	}
	return nil
}
