package statestore

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/function-mesh/functionmesh-apiserver/pkg/generated/statestorage"
)

// Table is where a component keeps its state.
type Table struct {
	Namespace, Name string
}

// TableOf returns the table of the component with an identity in Pulsar, under the name
// that its instances are told. Different tenants can have the same table: that is how
// Pulsar calls them.
func TableOf(tenant, namespace, name string) Table {
	return Table{Namespace: inTables(tenant + "_" + namespace), Name: name}
}

func inTables(name string) string { return strings.ReplaceAll(name, "-", "_") }

// Within tells whether a table may be that of something in another Pulsar namespace, of
// which whole tenants are named by an empty namespace.
func (t Table) Within(tenant, namespace string) bool {
	if namespace == "" {
		return strings.HasPrefix(t.Namespace, inTables(tenant)+"_")
	}
	return t.Namespace == inTables(tenant+"_"+namespace)
}

// The headers of requests, by which the service finds out who answers them. Numbers in
// them have eight bytes, the highest first.
const (
	// containerHeader has the number of a container, which has one of the ranges.
	containerHeader = "bk-rt-sc-id-bin"
	// tableHeader and keyHeader have a table and a key, of which the service knows the
	// container.
	tableHeader = "bk-rt-sid-bin"
	keyHeader   = "bk-rt-key-bin"

	// rootContainer knows which tables there are.
	rootContainer = 0
)

// Codes of answers, and what else there is of them.
const (
	codeSuccess           = 0
	codeBadRequest        = 400
	codeInternalError     = 500
	codeNamespaceName     = 2000
	codeNamespaceNotFound = 2002
	codeTableName         = 2100
	codeTableNotFound     = 2102
	codeKeyNotFound       = 6002
)

// codeError is a code that isn't expected.
type codeError struct {
	what string
	code int32
}

func (e *codeError) Error() string {
	return fmt.Sprintf("could not %s: the state store answers with code %d", e.what, e.code)
}

func toRoot(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, containerHeader, number(rootContainer))
}

func toRange(ctx context.Context, table int64, key string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, tableHeader, number(table), keyHeader, key)
}

func number(value int64) string {
	return string(binary.BigEndian.AppendUint64(nil, uint64(value)))
}

// find returns the number of a table, and false where there is none.
func (s *Store) find(ctx context.Context, table Table) (number int64, found bool, err error) {
	request := &statestorage.GetStreamRequest{
		StreamName: &statestorage.StreamName{NamespaceName: table.Namespace, StreamName: table.Name},
	}
	err = retry(ctx, func() error {
		answer, err := s.root.GetStream(toRoot(ctx), request)
		switch code := answer.GetCode(); {
		case err != nil:
			return err
		case code == codeNamespaceNotFound || code == codeTableNotFound:
			return nil
		case code == codeNamespaceName || code == codeTableName:
			return ErrName
		case code != codeSuccess:
			return &codeError{what: "find a table", code: code}
		}
		number, found = answer.GetStreamProps().GetStreamId(), true
		return nil
	})
	return number, found, err
}

const (
	// ranges is how many Pulsar's instances divide a table into.
	ranges = 4

	keyByHash      = 1
	typeTable      = 1
	splitInto      = 2
	segmentBytes   = 128 << 20
	retainedForAll = -1
)

// configuration is what Pulsar's instances make a table with: whoever is first makes it,
// so it has to be the same.
func configuration() *statestorage.StreamConfiguration {
	return &statestorage.StreamConfiguration{
		KeyType: keyByHash, StorageType: typeTable, MinNumRanges: ranges, InitialNumRanges: ranges,
		SplitPolicy:     &statestorage.SplitPolicy{Fixed: &statestorage.FixedRanges{NumRanges: splitInto}},
		RollingPolicy:   &statestorage.RollingPolicy{Size: &statestorage.SegmentSize{MaxSegmentSize: segmentBytes}},
		RetentionPolicy: &statestorage.RetentionPolicy{Time: &statestorage.RetentionTime{RetentionMinutes: retainedForAll}},
	}
}

// ensure returns the number of a table, which is made where there is none. Somebody else
// may make it at the same time, which the service doesn't tell from other failures: what
// counts is that it is there afterwards.
func (s *Store) ensure(ctx context.Context, table Table) (int64, error) {
	var made error
	number, found, err := s.find(ctx, table)
	for tries := 0; err == nil && !found && tries < createTries; tries++ {
		if made = s.create(ctx, table); ctx.Err() != nil {
			return 0, made
		}
		number, found, err = s.find(ctx, table)
	}
	if err == nil && !found {
		err = made
	}
	return number, err
}

// create makes a table, and its namespace if there is none.
func (s *Store) create(ctx context.Context, table Table) error {
	code, err := s.createTable(ctx, table)
	if err != nil || code != codeNamespaceNotFound {
		return failure("make a table", code, err)
	}
	namespace := &statestorage.CreateNamespaceRequest{
		Name: table.Namespace, NsConf: &statestorage.NamespaceConfiguration{DefaultStreamConf: configuration()},
	}
	err = retry(ctx, func() error {
		answer, err := s.root.CreateNamespace(toRoot(ctx), namespace)
		code = answer.GetCode()
		return err
	})
	if err != nil {
		return err
	}
	namespaceCode := code
	code, err = s.createTable(ctx, table)
	if err == nil && code == codeNamespaceNotFound {
		return failure("make a namespace of tables", namespaceCode, nil)
	}
	return failure("make a table", code, err)
}

func (s *Store) createTable(ctx context.Context, table Table) (code int32, err error) {
	request := &statestorage.CreateStreamRequest{NsName: table.Namespace, Name: table.Name, StreamConf: configuration()}
	err = retry(ctx, func() error {
		answer, err := s.root.CreateStream(toRoot(ctx), request)
		code = answer.GetCode()
		return err
	})
	return code, err
}

// failure returns what went wrong with an answer, or nil.
func failure(what string, code int32, err error) error {
	switch {
	case err != nil:
		return err
	case code != codeSuccess:
		return &codeError{what: what, code: code}
	}
	return nil
}
