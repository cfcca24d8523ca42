// The lab's S3 server: versitygw over a folder, its owner's keys from the environment (ROOT_ACCESS_KEY,
// ROOT_SECRET_KEY), further accounts from users.json in --iam-dir. A bucket is a folder in --dir. GET /healthz answers
// 200 once it serves.
package main

import (
	"context"
	"errors"
	"flag"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

func main() {
	addr := flag.String("addr", "", "host:port to listen on")
	dir := flag.String("dir", "", "folder that holds the buckets; it must exist")
	sidecar := flag.String("sidecar", "", "folder for object metadata where --dir's file system has no user attributes")
	iamDir := flag.String("iam-dir", "", "folder with users.json, the accounts beside the owner's; none by default")
	accessLog := flag.String("access-log", "", "file for a line per request; none by default")
	flag.Parse()
	if *addr == "" || *dir == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := serve(*addr, *dir, *sidecar, *iamDir, *accessLog); err != nil {
		log.Fatal("versitygw: ", err)
	}
}

func serve(addr, dir, sidecar, iamDir, accessLog string) error {
	// The gateway refuses every CopyObject when this limit is left at 0; 5 GiB is S3's own.
	opts := posix.PosixOpts{CopyObjectThreshold: 5 << 30}
	var attributes meta.MetadataStorer = meta.XattrMeta{}
	if sidecar != "" {
		files, err := meta.NewSideCar(sidecar)
		if err != nil {
			return err
		}
		attributes, opts.SideCarDir = files, sidecar
	} else if err := (meta.XattrMeta{}).Test(dir); err != nil {
		return errors.Join(errors.New("the file system of --dir keeps no user attributes: use --sidecar"), err)
	}
	backend, err := posix.New(dir, attributes, opts)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err = embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
		RootUserAccess:    os.Getenv("ROOT_ACCESS_KEY"),
		RootUserSecret:    os.Getenv("ROOT_SECRET_KEY"),
		Region:            "us-east-1",
		Ports:             []string{addr},
		KeepAlive:         true,
		Quiet:             true,
		HealthPath:        "/healthz",
		AccessLog:         accessLog,
		IAMDir:            iamDir,
		MaxConnections:    10000,
		MaxRequests:       10000,
		MultipartMaxParts: 10000,
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}
