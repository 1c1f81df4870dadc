<?php
function b64(string $data): string { return rtrim(strtr(base64_encode($data), '+/', '-_'), '='); }

[, $kid, $secret] = explode('.', getenv('VALETKEY_SIGNING_KEY'));
$claims = ['kid' => $kid, 'jti' => bin2hex(random_bytes(16)), 'exp' => time() + 900,
    'path' => 'reports/q3.pdf', 'methods' => ['GET']];
$block = b64(json_encode($claims, JSON_THROW_ON_ERROR));
$derived = hash_hmac('sha256', 'vk1', base64_decode(strtr($secret, '-_', '+/')), true);
echo 'vk1.' . $block . '.' . b64(hash_hmac('sha256', $block, $derived, true)) . "\n";
