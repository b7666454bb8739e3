#!/usr/bin/env bash
# Builds kube-apiserver and etcd from their Go modules: build.sh FOLDER KUBERNETES_VERSION. Needs Go 1.24 or newer.
set -euo pipefail
target=$1 kubernetes=$2 etcd=3.5.24
work=$(mktemp -d); trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# k8s.io/kubernetes names its staging modules by folders of its own repository; each is published as v0.MINOR.PATCH too.
mkdir "$work/kubernetes"; cd "$work/kubernetes"
printf 'module binaries\n\ngo 1.24.0\n' > go.mod
go mod edit -require="k8s.io/kubernetes@v$kubernetes"
declared=$(go mod download -json "k8s.io/kubernetes@v$kubernetes" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
sed -n 's/^[[:space:]]*\(k8s\.io\/[a-z-]*\) => \.\/staging.*/\1/p' "$declared" | while read -r module; do
  go mod edit -replace="$module=$module@v0.${kubernetes#1.}"
done
printf 'package main\n\nimport _ "k8s.io/kubernetes/cmd/kube-apiserver/app"\n\nfunc main() {}\n' > main.go
go mod tidy
version=k8s.io/component-base/version
minor=${kubernetes#1.}
go build -ldflags "-s -w -X $version.gitVersion=v$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=${minor%%.*}" -o "$target/kube-apiserver" k8s.io/kubernetes/cmd/kube-apiserver

# go.etcd.io/etcd's own main package is not importable by version; the server's entry point is.
mkdir "$work/etcd"; cd "$work/etcd"
printf 'module binaries\n\ngo 1.24.0\n' > go.mod
printf 'package main\n\nimport (\n\t"os"\n\n\t"go.etcd.io/etcd/server/v3/etcdmain"\n)\n\nfunc main() { etcdmain.Main(os.Args) }\n' > main.go
go get "go.etcd.io/etcd/server/v3@v$etcd"
go mod tidy
go build -ldflags '-s -w' -o "$target/etcd" .
