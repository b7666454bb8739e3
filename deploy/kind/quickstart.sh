#!/usr/bin/env bash
# From nothing to a governed call in a kind cluster of its own. Needs docker, kind, kubectl and helm. At the end: kind delete cluster --name airmesh
set -euo pipefail
cd "$(dirname "$0")/../.."
IMAGE=airmesh:0.1.0

kind get clusters | grep -qx airmesh || kind create cluster --name airmesh --wait 120s
docker buildx build -f deploy/Dockerfile -t "$IMAGE" --load .
kind load docker-image "$IMAGE" --name airmesh
kubectl config use-context kind-airmesh

helm upgrade --install airmesh charts/airmesh --namespace airmesh-system --create-namespace --wait
kubectl create namespace shop --dry-run=client -o yaml | kubectl apply -f -
kubectl label namespace shop airmesh.dev/inject=enabled --overwrite
# The simulated provider takes this key. With a real provider: its key here, and its baseUrl out of examples/kubernetes/provider.yaml.
kubectl create secret generic openai -n shop --from-literal=apiKey=sk-simulated-0123456789 --dry-run=client -o yaml | kubectl apply -f -
kubectl apply -n shop -f examples/kubernetes/
kubectl wait --for=condition=Programmed airoute/chat -n shop --timeout=120s
kubectl rollout status deployment/checkout -n shop --timeout=120s
kubectl logs deployment/checkout -n shop -c app --tail=1
kubectl get airmesh -n shop
