#!/bin/sh
# Builds the native part of aws-lambda-ric with CMake alone: its own install script also needs autoconf and libtool.
# Run in the folder that holds node_modules. Needs cmake, make, a C++ compiler and Node.js' headers.
set -eu
client=$(pwd)/node_modules/aws-lambda-ric
artifacts=$client/deps/artifacts
cd "$client/deps"
. ./versions
tar xzf "curl-$CURL_VERSION.tar.gz" --no-same-owner
tar xzf "aws-lambda-cpp-$AWS_LAMBDA_CPP_RELEASE.tar.gz" --no-same-owner
# The same parts of curl as in the package's own script: HTTP, and nothing else.
cmake -S "curl-curl-$CURL_VERSION" -B build/curl -DCMAKE_INSTALL_PREFIX="$artifacts" -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DBUILD_SHARED_LIBS=OFF -DBUILD_CURL_EXE=OFF \
    -DBUILD_TESTING=OFF -DHTTP_ONLY=ON -DCURL_ENABLE_SSL=OFF -DCURL_ZLIB=OFF -DCURL_BROTLI=OFF -DCURL_ZSTD=OFF \
    -DUSE_NGHTTP2=OFF -DUSE_LIBIDN2=OFF -DCURL_USE_LIBSSH2=OFF -DCURL_USE_LIBPSL=OFF -DENABLE_IPV6=OFF \
    -DENABLE_UNIX_SOCKETS=OFF -DENABLE_THREADED_RESOLVER=OFF
cmake --build build/curl --target install
cmake -S "aws-lambda-cpp-$AWS_LAMBDA_CPP_RELEASE" -B build/lambda -DCMAKE_INSTALL_PREFIX="$artifacts" \
    -DCMAKE_INSTALL_LIBDIR=lib -DCMAKE_PREFIX_PATH="$artifacts" -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS=-fPIC
cmake --build build/lambda --target install
cd "$client"
npx --no-install node-gyp rebuild
cp build/Release/rapid-client.node dist/
rm -rf deps/build deps/artifacts deps/curl-curl-* "deps/aws-lambda-cpp-$AWS_LAMBDA_CPP_RELEASE" build
